//go:build unix

package faultinjection

import (
	"context"
	"errors"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
)

// expectRefusal expects the right error of a launch.
func (x *experiment) expectRefusal(err error) {
	x.t.Helper()
	var launch *host.LaunchError
	want := map[stage]host.Stage{beforeLine: host.StageHandshake, handshake: host.StageConnect}[x.at]
	switch {
	case !errors.As(err, &launch) || launch.Stage != want:
		x.t.Errorf("the launch: %v, expected a host.LaunchError at the stage %s", err, want)
	case x.effect.status != "":
		x.expectExit("the launch", err)
	case x.effect.kind == frozen && !errors.Is(err, context.Canceled):
		x.t.Errorf("the launch: %v, expected context.Canceled", err)
	}
}

// expectService expects that the plugin works, and leaves in order.
func (x *experiment) expectService(client *host.Client) {
	x.t.Helper()
	ctx := within(x.t, patience)
	s, err := newSubject(ctx, client)
	if err == nil {
		err = s.echo(ctx)
	}
	if err != nil {
		x.t.Errorf("the plugin does not answer: %v", err)
	}
	if err := client.Stop(ctx); err != nil {
		x.t.Errorf("the stop: %v", err)
	}
	if err := client.Err(); err != nil {
		x.t.Errorf("after an orderly end: %v", err)
	}
	x.expectDone(client)
}

// expectEnd expects that everybody learns how the process ended.
func (x *experiment) expectEnd(s *subject, op operation) {
	x.t.Helper()
	if op.done != nil {
		err := x.wait(string(x.at), op.done)
		switch {
		case x.effect.kind == ended:
			x.expectExit(string(x.at), err)
		case err == nil || errors.Is(err, context.DeadlineExceeded): // the plugin itself may have ended the call
			x.t.Errorf("%s: %v, expected an error of the end", x.at, err)
		}
		op.release()
	}
	x.expectDone(s.client)
	x.expectExit("Err", s.client.Err())
	x.expectExit("a later call", s.echo(within(x.t, patience)))
	x.expectExit("a later ping", s.client.Ping(within(x.t, patience)))
	if err := s.client.Close(); err != nil {
		x.t.Errorf("the close after the end: %v", err)
	}
}

// expectFrozen expects that calls end with their contexts, and a close with a kill.
func (x *experiment) expectFrozen(s *subject, op operation) {
	x.t.Helper()
	if err := s.client.Ping(within(x.t, x.pause)); !errors.Is(err, context.DeadlineExceeded) {
		x.t.Errorf("the ping: %v, expected context.DeadlineExceeded", err)
	}
	x.expectKill(s.client)
	if op.done != nil {
		if err := x.wait(string(x.at), op.done); !errors.Is(err, core.ErrClosed) && !isLoss(err) {
			x.t.Errorf("%s: %v, expected an error of the end", x.at, err)
		}
		op.release()
	}
}

func (x *experiment) expectKill(client *host.Client) {
	x.t.Helper()
	began := time.Now()
	err := client.Close()
	var stop *host.StopError
	if !errors.As(err, &stop) || stop.Left {
		x.t.Errorf("the close: %v, expected a host.StopError", err)
	}
	if took := time.Since(began); took > patience+2*x.pause {
		x.t.Errorf("the close took %v", took)
	}
	x.expectDone(client)
}

// expectSevered expects that the loss of the connection is the error of a call, and that the
// process is ended.
func (x *experiment) expectSevered(s *subject, op operation) {
	x.t.Helper()
	if op.done != nil {
		if err := x.wait(string(x.at), op.done); !isLoss(err) {
			x.t.Errorf("%s: %v, expected core.ErrConnectionLost", x.at, err)
		}
		op.release()
	}
	if err := s.echo(within(x.t, patience)); !isLoss(err) {
		x.t.Errorf("a later call: %v, expected core.ErrConnectionLost", err)
	}
	err := s.client.Close()
	var stop *host.StopError
	if !errors.As(err, &stop) && s.client.Err() == nil { // it may have ended by itself
		x.t.Errorf("the close: %v, expected a host.StopError", err)
	}
	x.expectDone(s.client)
}

// expectRecovery expects that new brokered connections do not hang during the fault, and that they
// are made after it.
func (x *experiment) expectRecovery(s *subject) {
	x.t.Helper()
	ctx, tried := within(x.t, x.pause), make(chan error, 1)
	go func() { tried <- s.offered(ctx) }()
	err := x.wait("a brokered connection", tried)
	x.recover()
	if again := s.offered(within(x.t, patience)); again != nil {
		x.t.Errorf("a brokered connection after the fault: %v; during it: %v", again, err)
	}
}

// isLoss reports whether an error names the loss of the process or the connection as the reason.
func isLoss(err error) bool {
	var exit *core.ExitError
	return errors.As(err, &exit) || errors.Is(err, core.ErrConnectionLost)
}

// expectStop expects the right error of a stop.
func (x *experiment) expectStop(err error) {
	x.t.Helper()
	var stop *host.StopError
	switch {
	case x.effect.status != "":
		x.expectExit("the stop", err)
	case x.effect.kind == survived && err != nil:
		x.t.Errorf("the stop: %v", err)
	case x.effect.kind == frozen && (!errors.As(err, &stop) || stop.Left):
		x.t.Errorf("the stop: %v, expected a host.StopError", err)
	}
}

// expectDone expects that nothing is left of the plugin.
func (x *experiment) expectDone(client *host.Client) {
	x.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-client.Done():
	case <-limit.C:
		x.t.Error("Done is not closed")
	}
}

// expectExit expects an error with the process's end.
func (x *experiment) expectExit(name string, err error) {
	x.t.Helper()
	var exit *core.ExitError
	if !errors.As(err, &exit) || exit.Status != x.effect.status {
		x.t.Errorf("%s: %v, expected a core.ExitError with %s", name, err, x.effect.status)
	} else if x.fault.name == "panic" && exit.DeathLine() != "panic: "+panicText {
		x.t.Errorf("%s: %v, expected the panic's text", name, err)
	}
}
