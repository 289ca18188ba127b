//go:build linux || darwin

package runner_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/jackfield-go/jackfield/core/runner"
)

func init() {
	roles["launch and exec"] = launchAndExec
	roles["attach"] = attachAfterExec
}

// launchAndExec starts a process and becomes another program, which has the process as a child.
func launchAndExec([]string) int {
	cmd := helper("hang")
	cmd.Outlive = true // the thread that starts it ends with the exec
	p := runner.NewProcess(cmd)
	if err := p.Start(context.Background()); err != nil {
		fmt.Println(err)
		return 1
	}
	if _, err := bufio.NewReader(p.Stdout()).ReadString('\n'); err != nil { // it writes no more
		fmt.Println(err)
		return 1
	}
	time.Sleep(50 * time.Millisecond) // the system tells starts to 10 ms: this one is to be older
	_ = os.Setenv(roleVariable, "attach")
	fmt.Println(syscall.Exec(os.Args[0], []string{os.Args[0], p.ID(), p.Started()}, os.Environ()))
	return 1
}

func attachAfterExec(args []string) int {
	p := runner.NewProcess(runner.Command{})
	if err := p.Attach(context.Background(), args[0], args[1]); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(p.Terminate())
	exit, err := p.Wait(context.Background())
	fmt.Println(exit, err)
	return 0
}
