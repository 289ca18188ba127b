//go:build unix

package runner_test

import (
	"strconv"
	"syscall"
	"testing"

	"github.com/jackfield-go/jackfield/core/runner"
)

func TestKilledProcessSaysBySignal(t *testing.T) {
	p := started(t, helper("hang"))
	awaitReady(t, p)
	if err := p.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	exit := waitExit(t, p)
	if want := (runner.Exit{Code: runner.ExitUnknown, Signal: syscall.SIGKILL}); exit != want {
		t.Errorf("%#v, want %#v", exit, want)
	}
	if got := exit.String(); got != "killed by signal 9 (killed)" {
		t.Errorf("got %q", got)
	}
}

// Field note F7, as far as a runner goes: a stopped plugin can be killed.
func TestKillOfAStoppedProcess(t *testing.T) {
	p := started(t, helper("hang"))
	awaitReady(t, p)
	signal(t, p, syscall.SIGSTOP)
	if err := p.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	waitExit(t, p)
}

func TestSysProcAttrReachesTheProcessAndIsCopied(t *testing.T) {
	cmd := helper("hang")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p := runner.NewProcess(cmd)
	cmd.SysProcAttr.Setpgid = false
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer p.Stdout().Close()
	defer p.Stderr().Close()
	pid := pidOf(t, p)
	if group, err := syscall.Getpgid(pid); err != nil || group != pid {
		t.Errorf("group %d of process %d, %v", group, pid, err)
	}
	if err := p.Kill(t.Context()); err != nil {
		t.Error(err)
	}
}

func signal(t *testing.T, p *runner.Process, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pidOf(t, p), s); err != nil {
		t.Fatal(err)
	}
}

func pidOf(t *testing.T, p *runner.Process) int {
	t.Helper()
	pid, err := strconv.Atoi(p.ID())
	if err != nil {
		t.Fatal(err)
	}
	return pid
}
