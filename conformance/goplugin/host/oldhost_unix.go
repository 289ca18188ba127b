//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// wrapWithoutList removes the list of versions from the environment of command's program.
// The process stays the same, so pid and pipes are the plugin's own.
func wrapWithoutList(command *exec.Cmd) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	if command.Err != nil {
		return command.Err
	}
	command.Args = append([]string{self, withoutListCommand, command.Path}, command.Args[1:]...)
	command.Path = self
	return nil
}

// execWithoutList returns only after a failure.
func execWithoutList(arguments []string) error {
	if err := os.Unsetenv(versionsVariable); err != nil {
		return err
	}
	err := syscall.Exec(arguments[0], arguments, os.Environ())
	return fmt.Errorf("become %s: %w", arguments[0], err)
}
