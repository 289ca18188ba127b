//go:build !unix

package main

import (
	"errors"
	"os/exec"
)

// errNoExec says that a process cannot become another program here.
var errNoExec = errors.New("an old host needs a system whose processes can become another program")

func wrapWithoutList(*exec.Cmd) error { return errNoExec }

func execWithoutList([]string) error { return errNoExec }
