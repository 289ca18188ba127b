//go:build linux || darwin || windows

package runner_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core/runner"
)

// attached attaches to the process of another runner.
func attached(t *testing.T, p *runner.Process) *runner.Process {
	t.Helper()
	q := runner.NewProcess(runner.Command{})
	if err := q.Attach(t.Context(), p.ID(), p.Started()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Detach)
	return q
}

func TestAttachTakesOverARunningProcess(t *testing.T) {
	before := census(t)
	p := started(t, helper("hang"))
	awaitReady(t, p)
	q := attached(t, p)
	if q.ID() != p.ID() || q.Started() != p.Started() || q.Started() == "" {
		t.Errorf("attached to %s %q, want %s %q", q.ID(), q.Started(), p.ID(), p.Started())
	}
	for _, output := range []io.Reader{q.Stdout(), q.Stderr()} {
		if text, err := io.ReadAll(output); err != nil || len(text) > 0 {
			t.Errorf("output %q, %v", text, err)
		}
	}
	if err := q.Attach(t.Context(), p.ID(), ""); !errors.Is(err, runner.ErrAlreadyStarted) {
		t.Errorf("attached again: %v", err)
	}
	if err := q.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if waitExit(t, q).Success() {
		t.Error("the attached runner reports an orderly end")
	}
	if waitExit(t, p).Success() {
		t.Error("the first runner lost the status")
	}
	if err := q.Kill(t.Context()); err != nil {
		t.Errorf("kill after the end: %v", err)
	}
	if got := q.Started(); got != "" {
		t.Errorf("after the end the start is %q", got)
	}
	_ = p.Stdout().Close()
	_ = p.Stderr().Close()
	before.awaitSame(t)
}

func TestAttachRefusesAnEndedProcessAndAnotherOneWithItsNumber(t *testing.T) {
	p := started(t, helper("hang"))
	awaitReady(t, p)
	q := runner.NewProcess(runner.Command{})
	if err := q.Attach(t.Context(), p.ID(), p.Started()+"1"); !errors.Is(err, os.ErrProcessDone) || !strings.Contains(err.Error(), p.ID()) {
		t.Errorf("another start: %v", err)
	}
	if err := q.Kill(t.Context()); err != nil { // nothing to kill
		t.Error(err)
	}
	if p.Started() == "" {
		t.Fatal("the process has ended")
	}
	id, start := p.ID(), p.Started()
	if err := p.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := q.Attach(t.Context(), id, start); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("an ended process: %v", err)
	}
	for _, id := range []string{"", "0", "-1", "1x"} {
		if err := q.Attach(t.Context(), id, ""); err == nil {
			t.Errorf("attached to %q", id)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.Attach(ended, id, start); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
}

func TestDetachLeavesTheProcessRunning(t *testing.T) {
	p := started(t, helper("hang"))
	awaitReady(t, p)
	before := census(t)
	q := attached(t, p)
	waiting, cancel := context.WithCancel(t.Context())
	waited := make(chan error, 1)
	go func() {
		_, err := q.Wait(waiting)
		waited <- err
	}()
	q.Detach()
	cancel()
	if err := <-waited; !errors.Is(err, context.Canceled) && !errors.Is(err, runner.ErrNotStarted) {
		t.Errorf("wait: %v", err)
	}
	if err := q.Kill(t.Context()); err != nil || q.ID() != "" {
		t.Errorf("kill after Detach of %q: %v", q.ID(), err)
	}
	if p.Started() == "" {
		t.Error("the process has ended")
	}
	before.awaitSame(t)
	again := attached(t, p)
	if err := again.Kill(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestDetachOfAChildLetsItGoAndCollectsIt(t *testing.T) {
	before := census(t)
	p := started(t, helper("hang"))
	awaitReady(t, p)
	q := attached(t, p)
	p.Detach()
	if err := q.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	waitExit(t, q)
	_ = q.Stdout().Close()
	_ = q.Stderr().Close()
	before.awaitSame(t) // the child's goroutine too, so it was collected
}
