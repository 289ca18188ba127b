//go:build !unix

package main

import (
	"errors"
	"os/exec"
)

// errNoExec reports that this platform cannot replace a process's program.
var errNoExec = errors.New("the scenario needs a platform with exec: a process must replace its program")

func wrapWithoutList(*exec.Cmd) error { return errNoExec }

func execWithoutList([]string) error { return errNoExec }
