//go:build !linux

package runner

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
)

// Nothing runs from memory here.
func runsFromMemory(io.ReaderAt) bool { return false }

func sealInMemory(context.Context, Origin, io.Reader) (*os.File, error) {
	return nil, errors.ErrUnsupported
}

func startFromMemory(*exec.Cmd, *os.File, *os.File) error { return errors.ErrUnsupported }
