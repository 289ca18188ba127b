//go:build linux || darwin

package terminal

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// Descriptors of the shell and the host beside the terminal.
const (
	reportFD  = 3 // lines to the test
	commandFD = 4 // lines from the test, to the shell
)

func reportf(format string, args ...any) {
	line := fmt.Sprintf(format, args...) + "\n"
	_, _ = syscall.Write(reportFD, []byte(line))
}

// shell runs the host as a shell with job control runs a program. When the host stops, the shell
// takes the terminal and waits for the command fg or bg.
func shell() error {
	commands := bufio.NewScanner(os.NewFile(commandFD, "commands"))
	host := exec.Command(os.Args[0], os.Args[1:]...)
	host.Env = append(os.Environ(), roleVariable+"=host")
	host.Stdin, host.Stdout, host.Stderr = os.Stdin, os.Stdout, os.Stderr
	host.ExtraFiles = []*os.File{os.NewFile(reportFD, "reports")}
	host.SysProcAttr = &syscall.SysProcAttr{Foreground: true, Ctty: 0}
	if err := host.Start(); err != nil {
		return err
	}
	signal.Ignore(syscall.SIGTTOU, syscall.SIGTTIN, syscall.SIGTSTP) // now, since a child would inherit it
	own := syscall.Getpgrp()
	for {
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(host.Process.Pid, &status, syscall.WUNTRACED, nil); err == syscall.EINTR {
			continue
		} else if err != nil {
			return err
		}
		if err := unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, own); err != nil {
			return err
		}
		if !status.Stopped() {
			reportf("host ended with %d", status.ExitStatus())
			return nil
		}
		reportf("host stopped")
		if !commands.Scan() {
			return commands.Err()
		}
		if commands.Text() == "fg" {
			if err := unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, host.Process.Pid); err != nil {
				return err
			}
		}
		if err := syscall.Kill(-host.Process.Pid, syscall.SIGCONT); err != nil {
			return err
		}
	}
}
