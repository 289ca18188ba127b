//go:build !linux

package runner

import (
	"context"
	"errors"
	"io"
	"os"
)

// memoryPath is never used where nothing runs from memory.
const memoryPath = ""

func runsFromMemory(io.ReaderAt) bool { return false }

func sealInMemory(context.Context, Origin, io.Reader) (*os.File, error) {
	return nil, errors.ErrUnsupported
}
