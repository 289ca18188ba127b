//go:build !unix || aix || solaris

package socket

import "errors"

// errTaken does not come up here.
var errTaken = errors.New("the directory was taken away")

// owner is nothing: without locks it cannot be known what is in use, and so
// nothing is removed but by its owner.
type owner struct{}

func own(string) (*owner, error) { return nil, nil }

func (*owner) serves(int) {}

func (*owner) release() {}

// Owners returns nobody.
func Owners(string) []int { return nil }

// Hold does nothing.
func Hold(string) (release func()) { return func() {} }

func sweep(string) {}
