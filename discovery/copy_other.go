//go:build !linux

package discovery

import (
	"errors"
	"io"
)

// sealInMemory refuses: these systems run no programs from memory.
func sealInMemory(func(io.Writer) error) (*sealed, error) { return nil, errors.ErrUnsupported }
