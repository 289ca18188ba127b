//go:build unix

package faultinjection

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/peers"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/runner"
)

// experiment is a fault in a plugin at a stage.
type experiment struct {
	t *testing.T

	combination combination
	at          stage
	fault       fault
	effect      effect
	// pause is the time for which a process does nothing.
	pause time.Duration

	dir     string // of the sockets
	control *control
	cfg     host.Config

	recovered bool
}

// run injects the fault, and expects the right end.
func (x *experiment) run(t *testing.T) {
	x.t = t
	x.effect = x.fault.effect(x.combination, x.at)
	x.prepare()
	x.adjust()
	switch {
	case x.at.launching():
		x.duringLaunch()
	case x.at == stopping:
		x.duringStop()
	default:
		x.duringService()
	}
	if pid := x.control.pid; pid != 0 && !shared.ProcessGone(pid) {
		t.Errorf("process %d is still there", pid)
	}
	if x.fault.mounted && !x.recovered {
		x.recover()
		if x.fault.keeps {
			return
		}
	}
	peers.ExpectEmpty(t, x.dir)
}

// prepare makes the directories, and configures the host.
func (x *experiment) prepare() {
	t := x.t
	dir := peers.ShortDir(t)
	x.dir = filepath.Join(dir, "s")
	err := os.Mkdir(x.dir, 0o700)
	if err == nil && x.fault.mounted {
		mount(t, x.dir)
	}
	x.control = newControl(t, dir)
	role := role{Library: x.combination.library, Transport: x.combination.transport, Stage: x.at, Control: x.control.path()}
	if err == nil {
		x.cfg, err = x.combination.config(role, x.dir)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// adjust chooses the times of the host. A process that is going to end is waited for, however
// busy the machine; one that stays is not.
func (x *experiment) adjust() {
	limits := &x.cfg.Timeouts
	limits.Start, limits.Stop = limits.Start+x.pause, limits.Stop+x.pause
	switch x.effect.kind {
	case ended, left:
		limits.ExitGrace = patience
	case frozen, severed:
		if x.at != stopping {
			limits.Stop, limits.Terminate = x.pause, x.pause
		}
	case survived:
	}
}

// launch launches the plugin, and accepts its connection to the test.
func (x *experiment) launch(ctx context.Context) (launched <-chan error, client **host.Client) {
	client = new(*host.Client)
	done := make(chan error, 1)
	go func() {
		var err error
		*client, err = host.Launch(ctx, x.cfg)
		done <- err
	}()
	if err := x.control.accept(); err != nil {
		x.t.Errorf("the plugin does not start: %v", err)
	}
	return done, client
}

// inject injects the fault.
func (x *experiment) inject() {
	if err := x.fault.inject(x); err != nil {
		x.t.Fatalf("%s: %v", x.fault.name, err)
	}
}

// recover takes the fault back.
func (x *experiment) recover() {
	x.recovered = true
	if err := x.fault.recover(x); err != nil {
		x.t.Fatalf("take back the fault: %v", err)
	}
}

// wait waits for what must not hang.
func (x *experiment) wait(name string, done <-chan error) error {
	x.t.Helper()
	limit := time.NewTimer(2*patience + x.pause)
	defer limit.Stop()
	select {
	case err := <-done:
		return err
	case <-limit.C:
		x.t.Fatalf("%s hangs", name)
		return nil
	}
}

// duringLaunch injects the fault before the launch has returned.
func (x *experiment) duringLaunch() {
	t := x.t
	ctx, cancel := context.WithCancel(within(t, 3*patience+x.pause))
	defer cancel()
	reached, proceed := x.hold()
	defer proceed()
	launched, client := x.launch(ctx)
	if x.at == handshake {
		<-reached
	}
	x.inject()
	switch {
	case x.at == beforeLine && x.effect.kind != frozen:
		_ = x.control.send(orderGo) // it may have ended
	case x.at == handshake && x.effect.status != "": // otherwise the host may still get an answer
		if err := x.control.gone(); err != nil {
			t.Error(err)
		}
	}
	proceed()
	if x.effect.kind == frozen || x.effect.kind == severed && x.at == handshake {
		defer time.AfterFunc(x.pause, cancel).Stop()
	}
	err := x.wait("the launch", launched)
	switch {
	case x.effect.kind == survived && err == nil:
		if x.fault.recover != nil {
			x.recover()
		}
		x.expectService(*client)
	case x.effect.kind == survived:
		t.Error(err)
	case err == nil:
		t.Error("the launch succeeded")
		_ = (*client).Kill(within(t, patience))
	default:
		x.expectRefusal(err)
	}
}

// hold makes the host wait for a call of proceed, after it has reached the handshake and before it
// connects.
func (x *experiment) hold() (reached <-chan struct{}, proceed func()) {
	waits, goesOn := make(chan struct{}), make(chan struct{})
	proceed = sync.OnceFunc(func() { close(goesOn) })
	if x.at == handshake {
		hold := sync.OnceFunc(func() {
			close(waits)
			<-goesOn
		})
		x.cfg.Runner = func(command runner.Command) (runner.Runner, error) {
			return &held{Process: runner.NewProcess(command), hold: hold}, nil
		}
	}
	return waits, proceed
}

// held is a process that is held before the host connects to it.
type held struct {
	*runner.Process

	hold func()
}

// PluginToHost is called with the address in the handshake line.
func (h *held) PluginToHost(network, address string) (string, string, error) {
	h.hold()
	return h.Process.PluginToHost(network, address)
}

// serve launches the plugin without a fault.
func (x *experiment) serve(ctx context.Context) *subject {
	launched, client := x.launch(ctx)
	if err := x.wait("the launch", launched); err != nil {
		x.t.Fatal(err)
	}
	x.t.Cleanup(func() { _ = (*client).Kill(within(x.t, patience)) })
	s, err := newSubject(ctx, *client)
	if err != nil {
		x.t.Fatal(err)
	}
	return s
}

// duringService injects the fault into a plugin in service.
func (x *experiment) duringService() {
	ctx, cancel := context.WithCancel(within(x.t, 4*patience+x.pause))
	defer cancel()
	s := x.serve(ctx)
	op, err := s.begin(ctx, x.at)
	if err != nil {
		x.t.Fatalf("%s: %v", x.at, err)
	}
	x.inject()
	switch x.effect.kind {
	case ended, left:
		x.expectEnd(s, op)
	case frozen:
		x.expectFrozen(s, op)
	case severed:
		x.expectSevered(s, op)
	case survived:
		if x.fault.recover != nil {
			x.expectRecovery(s)
		}
		if op.done != nil {
			op.release()
			if err := x.wait(string(x.at), op.done); err != nil {
				x.t.Errorf("%s: %v", x.at, err)
			}
		}
		x.expectService(s.client)
	}
}

// duringStop injects the fault after the plugin has agreed to leave.
func (x *experiment) duringStop() {
	t := x.t
	s := x.serve(within(t, 2*patience))
	ctx, cancel := context.WithCancel(within(t, 4*patience+x.pause))
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- s.client.Stop(ctx) }()
	if err := x.control.await(reportStopping); err != nil {
		t.Fatal(err)
	}
	x.inject()
	switch x.effect.kind {
	case frozen:
		defer time.AfterFunc(x.pause, cancel).Stop()
	case survived:
		if err := x.control.send(orderGo); err != nil {
			t.Error(err)
		}
	case ended, left, severed:
	}
	x.expectStop(x.wait("the stop", stopped))
	x.expectDone(s.client)
}
