//go:build unix

package runner_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	ossignal "os/signal"
	"syscall"
	"time"

	"github.com/jackfield-go/jackfield/core/runner"
)

func init() {
	roles["parent"] = beParent
	roles["heedless"] = beHeedless
	roles["holder"] = beHolder
	roles["starter"] = beStarter
}

// beParent starts a process that holds the pipe at the argument, and stays.
func beParent(args []string) int {
	child := exec.Command(os.Args[0], args...)
	child.Env = append(os.Environ(), roleVariable+"=heedless")
	child.Stdout = os.Stdout
	if err := child.Start(); err != nil {
		return 1
	}
	time.Sleep(hang)
	return 0
}

// beHeedless ignores SIGTERM, says that it is ready, and stays.
func beHeedless(args []string) int {
	ossignal.Ignore(syscall.SIGTERM)
	if _, err := os.OpenFile(args[0], os.O_WRONLY, 0); err != nil {
		return 1
	}
	fmt.Println("ready")
	time.Sleep(hang)
	return 0
}

// beStarter starts processes by a runner, one that outlives it if asked, says so, and stays.
func beStarter(args []string) int {
	cmd := runner.Command{Path: os.Args[0], Args: args[1:], Env: append(os.Environ(), roleVariable+"=holder"), Outlive: args[0] == "true"}
	p := runner.NewProcess(cmd)
	if err := p.Start(context.Background()); err != nil {
		fmt.Println(err)
		return 1
	}
	_, _ = bufio.NewReader(p.Stdout()).ReadString('\n')
	fmt.Println(p.ID())
	time.Sleep(hang)
	return 0
}

// beHolder holds the pipe, with the default for SIGTERM.
func beHolder(args []string) int {
	if _, err := os.OpenFile(args[0], os.O_WRONLY, 0); err != nil {
		return 1
	}
	fmt.Println("ready")
	time.Sleep(hang)
	return 0
}
