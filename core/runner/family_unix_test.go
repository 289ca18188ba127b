//go:build unix

package runner_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core/internal/testkit"
	"github.com/jackfield-go/jackfield/core/runner"
)

// witness makes a pipe that ends with the last process that holds it.
func witness(t *testing.T) (*os.File, string) {
	t.Helper()
	path := filepath.Join(testkit.ShortDir(t), "witness")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pipe.Close() })
	return pipe, path
}

// ends waits until no process holds the pipe.
func ends(t *testing.T, pipe *os.File) {
	t.Helper()
	if err := pipe.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(pipe); err != nil {
		t.Errorf("a process stays: %v", err)
	}
}

func TestGroupEndsWithItsProcess(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *runner.Process){
		"kill": func(t *testing.T, p *runner.Process) {
			if err := p.Kill(t.Context()); err != nil {
				t.Error(err)
			}
		},
		"SIGTERM, which the child ignores": func(t *testing.T, p *runner.Process) {
			if err := p.Terminate(); err != nil {
				t.Error(err)
			}
		},
		"a crash": func(t *testing.T, p *runner.Process) { crash(t, p) },
	} {
		t.Run(name, func(t *testing.T) {
			pipe, path := witness(t)
			cmd := helper("parent", path)
			cmd.Group = true
			p := started(t, cmd)
			awaitReady(t, p)
			end(t, p)
			waitExit(t, p)
			ends(t, pipe)
			if err := p.Kill(t.Context()); err != nil {
				t.Errorf("kill after the end: %v", err)
			}
			if err := p.Terminate(); err == nil {
				t.Error("SIGTERM to an ended process")
			}
		})
	}
}

func TestGroupOfANewSession(t *testing.T) {
	pipe, path := witness(t)
	cmd := helper("parent", path)
	cmd.Group, cmd.SysProcAttr = true, &syscall.SysProcAttr{Setsid: true}
	p := started(t, cmd)
	awaitReady(t, p)
	if err := p.Kill(t.Context()); err != nil {
		t.Error(err)
	}
	ends(t, pipe)
}

func TestWithoutAGroupOnlyTheProcessEnds(t *testing.T) {
	pipe, path := witness(t)
	p := started(t, helper("parent", path))
	awaitReady(t, p)
	child := childOf(t, pidOf(t, p))
	if err := p.Kill(t.Context()); err != nil {
		t.Error(err)
	}
	if err := syscall.Kill(child, syscall.SIGKILL); err != nil {
		t.Errorf("the child: %v", err)
	}
	ends(t, pipe)
}

// childOf returns the process in the group of this test whose parent is pid.
func childOf(t *testing.T, pid int) int {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only where a process's children are listed")
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		t.Fatal(err)
	}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		more, err := os.ReadFile(task)
		if err == nil {
			text = append(text, more...)
		}
	}
	child, err := strconv.Atoi(strings.Fields(string(text))[0])
	if err != nil {
		t.Fatal(err)
	}
	return child
}

func TestProcessEndsWithItsParentUnlessItOutlivesIt(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only where a parent's death is a signal")
	}
	for outlives, name := range map[bool]string{false: "it ends", true: "it outlives it"} {
		t.Run(name, func(t *testing.T) {
			pipe, path := witness(t)
			p := started(t, helper("starter", strconv.FormatBool(outlives), path))
			said, err := bufio.NewReader(p.Stdout()).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			process, err := strconv.Atoi(strings.TrimSpace(said))
			if err != nil {
				t.Fatalf("said %q", said)
			}
			if err := p.Kill(t.Context()); err != nil {
				t.Fatal(err)
			}
			if outlives {
				if err := syscall.Kill(process, syscall.SIGKILL); err != nil {
					t.Errorf("it has ended: %v", err)
				}
			}
			ends(t, pipe)
		})
	}
}

// The thread of a locked goroutine that ends is ended too.
func TestProcessOutlivesTheThreadThatStartedIt(t *testing.T) {
	pipe, path := witness(t)
	p := runner.NewProcess(helper("holder", path))
	ended := make(chan error)
	go func() {
		runtime.LockOSThread()
		ended <- p.Start(t.Context())
	}()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stdout().Close(); _ = p.Stderr().Close() })
	awaitReady(t, p)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if exit, err := p.Wait(ctx); err == nil {
		t.Errorf("it has ended: %v", exit)
	}
	if err := p.Kill(t.Context()); err != nil {
		t.Error(err)
	}
	ends(t, pipe)
}

func crash(t *testing.T, p *runner.Process) {
	t.Helper()
	if err := syscall.Kill(pidOf(t, p), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}
