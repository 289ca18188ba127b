//go:build !linux

package runner

import (
	"errors"
	"os"
	"os/exec"
)

// startFromMemory refuses: these systems run no programs from memory.
func startFromMemory(*exec.Cmd, *os.File, *os.File) error { return errors.ErrUnsupported }
