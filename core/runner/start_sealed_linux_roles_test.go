//go:build linux

package runner_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackfield-go/jackfield/core/runner"
	"github.com/jackfield-go/jackfield/core/verify"
)

func init() {
	roles["inherited"] = inherited
	roles["sealAndRun"] = sealAndRun
	roles["failAndRun"] = failAndRun
	roles["sealLast"] = sealLast
}

// inherited is a role: it lists the descriptors of its program.
func inherited([]string) int {
	for fd := range 1024 {
		target, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
		if err == nil && strings.Contains(target, "greeter") {
			fmt.Println(fd, target)
		}
	}
	return 0
}

// failAndRun is a role: it seals a program, cannot run it as another user, and
// then runs it as its own.
func failAndRun(args []string) int {
	ctx := context.Background() // the test ends this process
	cmd := runner.Command{Path: args[0], Env: []string{roleVariable + "=myself", "GORACE=atexit_sleep_ms=0"}}
	if err := sealHere(ctx, &cmd); err != nil {
		fmt.Println(err)
		return 1
	}
	defer cmd.Sealed.Close()
	another := cmd
	another.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65533, Gid: 65533}}
	fmt.Println(runner.NewProcess(another).Start(ctx))
	p := runner.NewProcess(cmd)
	if err := p.Start(ctx); err != nil {
		fmt.Println(err)
		return 1
	}
	defer p.Stderr().Close()
	_, _ = os.Stdout.ReadFrom(p.Stdout())
	return 0
}

// sealAndRun is a role: it forbids programs in memory files to this namespace of
// processes, and then seals and runs one.
func sealAndRun(args []string) int {
	if err := os.WriteFile("/proc/sys/vm/memfd_noexec", []byte("2"), 0); err != nil {
		fmt.Println("needs:", err)
		return 0
	}
	ctx := context.Background() // the test ends this process
	cmd := runner.Command{Path: args[0], Env: []string{roleVariable + "=hello", "GORACE=atexit_sleep_ms=0"}}
	if err := sealHere(ctx, &cmd); err != nil {
		fmt.Println(err)
		return 1
	}
	defer cmd.Sealed.Close()
	return printed(ctx, cmd)
}

// sealHere makes a command run a sealed copy.
func sealHere(ctx context.Context, cmd *runner.Command) error {
	file, err := cmd.Open()
	if err != nil {
		return err
	}
	defer file.Close()
	cmd.Sealed, err = verify.Seal(ctx, file, verify.SealConfig{})
	return err
}

// printed runs a command and prints the command's output.
func printed(ctx context.Context, cmd runner.Command) int {
	p := runner.NewProcess(cmd)
	if err := p.Start(ctx); err != nil {
		fmt.Println(err)
		return 1
	}
	defer p.Stderr().Close()
	_, _ = os.Stdout.ReadFrom(p.Stdout())
	return 0
}

// sealLast is a role: it seals a program while few descriptors are free, so the copy
// gets the last of them, and runs it twice once more are free.
func sealLast(args []string) int {
	ctx := context.Background() // the test ends this process
	cmd := runner.Command{Path: args[0], Env: []string{roleVariable + "=hello", "GORACE=atexit_sleep_ms=0"}}
	file, err := cmd.Open()
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer file.Close()
	limit := syscall.Rlimit{Cur: 64, Max: 64}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		fmt.Println(err)
		return 1
	}
	for free := 1; cmd.Sealed == nil && free < 16; free++ {
		taken := takeAllBut(free)
		cmd.Sealed, err = verify.Seal(ctx, file, verify.SealConfig{})
		for _, fd := range taken {
			_ = syscall.Close(fd)
		}
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer cmd.Sealed.Close()
	return printed(ctx, cmd) + printed(ctx, cmd)
}

// takeAllBut takes descriptors until no more than some, the highest, are free.
func takeAllBut(free int) (taken []int) {
	for {
		fd, err := syscall.Open(os.DevNull, syscall.O_CLOEXEC, 0)
		if err != nil {
			break
		}
		taken = append(taken, fd)
	}
	for range free {
		_ = syscall.Close(taken[len(taken)-1])
		taken = taken[:len(taken)-1]
	}
	return taken
}
