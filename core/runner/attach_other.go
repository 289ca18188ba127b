//go:build !linux && !darwin && !windows

package runner

import (
	"errors"
	"os"
)

// handle is for systems that tell the start of a process.
type handle struct{}

func openHandle(int) (*handle, string, error) { return nil, "", errors.ErrUnsupported }
func (*handle) alive() error                  { return errors.ErrUnsupported }
func (*handle) signal(os.Signal) error        { return errors.ErrUnsupported }
func (*handle) end() (Exit, bool)             { return Exit{}, false }
func (*handle) pause(<-chan struct{}) bool    { return false }
func (*handle) close()                        {}
func startOf(int) (string, error)             { return "", errors.ErrUnsupported }
