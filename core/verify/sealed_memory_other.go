//go:build !linux

package verify

import (
	"context"
	"errors"
	"io"
	"os"
)

// Nothing runs from memory here.
func runsFromMemory(io.ReaderAt) bool { return false }

func sealInMemory(context.Context, Origin, io.Reader) (*os.File, error) {
	return nil, errors.ErrUnsupported
}
