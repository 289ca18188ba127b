//go:build !unix || aix || solaris

package socket

import (
	"errors"

	"github.com/jackfield-go/jackfield/core/internal/sweep"
)

// errTaken does not come up here.
var errTaken = errors.New("the directory was taken away")

// owner is nothing: without locks it cannot be known what is in use, and so
// nothing is removed but by its owner.
type owner struct{}

func own(madeDir) (*owner, error) { return nil, nil }

func (*owner) serves(int) {}

func (*owner) servesUnknown() {}

func (*owner) release() {}

// Handed is nothing: directories have no owners that are known here.
type Handed struct{}

// Accept has nothing to look at.
func Accept(string) Handed { return Handed{} }

// Owners returns nobody.
func (Handed) Owners() []int { return nil }

// Check has nothing to look at.
func (Handed) Check() error { return nil }

// Hold does nothing.
func Hold(string) (release func()) { return func() {} }

func startSweep(string) *sweep.Sweep { return nil }
