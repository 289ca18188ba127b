//go:build unix

package faultinjection

import (
	"errors"
	"fmt"
	"os/signal"
	"syscall"
	"time"
)

// fault is a fault of a plugin's process.
type fault struct {
	name   string
	inject func(x *experiment) error
	// effect returns the effect on a plugin at a stage.
	effect func(c combination, at stage) effect
	// recover takes a fault back that keeps a plugin from making brokered connections. Nil: it
	// does not.
	recover func(x *experiment) error
	// mounted asks for a file system of its own for the sockets.
	mounted bool
	// keeps is whether files cannot be removed before recover.
	keeps bool
}

// effect is the effect of a fault on a process. A process with a status has ended.
type effect struct {
	kind   kind
	status string // in the words of core.ExitError
}

type kind int

const (
	ended    kind = iota // by itself, with the status
	left                 // in order, with status 0
	frozen               // it stays, and does nothing
	survived             // it works as before
	severed              // it stays, without its connections
)

func faults() []fault {
	return []fault{
		{name: "SIGKILL", inject: signalled(syscall.SIGKILL), effect: dies("killed by signal 9 (killed)")},
		{name: "SIGTERM", inject: signalled(syscall.SIGTERM), effect: leaves("killed by signal 15 (terminated)")},
		{name: "SIGHUP", inject: signalled(syscall.SIGHUP), effect: hangup},
		{name: "SIGSTOP", inject: stop, effect: always(frozen)},
		{name: "SIGSTOP, then SIGCONT", inject: pause, effect: always(survived)},
		{name: "panic", inject: ordered(orderPanic), effect: dies("exit status 2")},
		{name: "exit", inject: ordered(orderExit), effect: dies("exit status 3")},
		{name: "closed pipes", inject: carriedOut(orderClosePipes), effect: closedPipes},
		{name: "closed sockets", inject: carriedOut(orderCloseSockets), effect: closedSockets},
		{name: "no files left", inject: carriedOut(orderNoFiles), effect: noFiles, recover: carriedOut(orderFiles)},
		{name: "full directory", inject: fill, effect: noSockets, recover: empty, mounted: true},
		{name: "read-only directory", inject: seal, effect: noSockets, recover: unseal, mounted: true, keeps: true},
		{name: "grandchild with the pipes", inject: orphan, effect: dies("exit status 3")},
	}
}

func always(k kind) func(combination, stage) effect {
	return func(combination, stage) effect { return effect{kind: k} }
}

func dies(status string) func(combination, stage) effect {
	return func(combination, stage) effect { return effect{ended, status} }
}

// leaves is the effect of a signal on which our plugins leave in order, while they serve.
func leaves(status string) func(combination, stage) effect {
	return func(c combination, at stage) effect {
		if c.library == ours && at != beforeLine && at != stopping {
			return effect{left, "exit status 0"}
		}
		return effect{ended, status}
	}
}

func hangup(c combination, at stage) effect {
	if signal.Ignored(syscall.SIGHUP) { // by nohup
		return effect{kind: survived}
	}
	return leaves("killed by signal 1 (hangup)")(c, at)
}

// closedPipes has an effect only before the line: a plugin of ours ends, and one on go-plugin
// serves nobody.
func closedPipes(c combination, at stage) effect {
	switch {
	case at != beforeLine:
		return effect{kind: survived}
	case c.library == ours:
		return effect{ended, "exit status 1"}
	}
	return effect{kind: severed}
}

// closedSockets has an effect only while there are any that the host needs.
func closedSockets(_ combination, at stage) effect {
	if at == beforeLine || at == stopping {
		return effect{kind: survived}
	}
	return effect{kind: severed}
}

// noFiles takes the ability to accept, beside that to listen.
func noFiles(c combination, at stage) effect {
	if at == handshake {
		return effect{kind: severed}
	}
	return noSockets(c, at)
}

// noSockets takes the ability to listen: a plugin of ours ends with status 1, and one on go-plugin
// with 0.
func noSockets(c combination, at stage) effect {
	switch {
	case at == beforeLine && c.library == ours:
		return effect{ended, "exit status 1"}
	case at == beforeLine:
		return effect{ended, "exit status 0"}
	}
	return effect{kind: survived}
}

// longStop ends a multiplexed plugin on go-plugin to which the host has not connected: it waits for
// five seconds (F16).
func longStop(c combination, at stage) effect {
	if c.library == theirs && c.transport == multiplexed && at == handshake {
		return effect{ended, "exit status 0"}
	}
	return effect{kind: survived}
}

func signalled(sig syscall.Signal) func(*experiment) error {
	return func(x *experiment) error { return syscall.Kill(x.control.pid, sig) }
}

func ordered(order string) func(*experiment) error {
	return func(x *experiment) error { return x.control.send(order) }
}

func carriedOut(order string) func(*experiment) error {
	return func(x *experiment) error { return x.control.order(order) }
}

// stop stops the process, and waits until each of its threads has stopped.
func stop(x *experiment) error {
	if err := syscall.Kill(x.control.pid, syscall.SIGSTOP); err != nil {
		return err
	}
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(x.control.pid, &status, syscall.WUNTRACED, nil)
		if err == nil && !status.Stopped() {
			return fmt.Errorf("the process did not stop: %v", status)
		}
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// pause stops the process for a while.
func pause(x *experiment) error {
	if err := stop(x); err != nil {
		return err
	}
	<-time.After(x.pause)
	return syscall.Kill(x.control.pid, syscall.SIGCONT)
}

// orphan makes the process start one that holds its pipes, and end.
func orphan(x *experiment) error {
	if err := x.control.send(orderGrandchild); err != nil {
		return err
	}
	child, err := x.control.id(reportChild)
	if err != nil {
		return fmt.Errorf("start the grandchild: %w", err)
	}
	x.t.Cleanup(func() { _ = syscall.Kill(child, syscall.SIGKILL) })
	return x.control.send(orderExit)
}
