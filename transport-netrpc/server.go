package transportnetrpc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/broker/yamux"
	"github.com/jackfield-go/jackfield/core"
)

// server is the plugin's side.
type server struct {
	transport *Transport
	link      core.PluginLink
	ctx       context.Context
	cancel    context.CancelFunc
	calls     context.Context // of the connections on which calls are made
	cutCalls  context.CancelFunc
	flight    flight
	running   sync.WaitGroup // connections and pumps
	stdout    *pump
	stderr    *pump
	accepting context.Context // over when the plugin has been asked to leave
	leaving   context.CancelFunc
}

func newServer(t *Transport, link core.PluginLink) *server {
	s := &server{
		transport: t,
		link:      link,
		stdout:    newPump(link.Stdout),
		stderr:    newPump(link.Stderr),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.calls, s.cutCalls = context.WithCancel(s.ctx)
	s.accepting, s.leaving = context.WithCancel(s.ctx)
	return s
}

// Fields returns none: the line has six fields over net/rpc.
func (s *server) Fields() []string { return nil }

// Serve answers hosts until one says quit. Several may connect, one after the
// other or at once: a host that was replaced, a check whether anybody listens.
func (s *server) Serve(listener net.Listener) error {
	stop := context.AfterFunc(s.accepting, func() { _ = listener.Close() })
	defer stop()
	s.running.Go(func() { s.stdout.run(s.ctx) })
	s.running.Go(func() { s.stderr.run(s.ctx) })
	err := s.accept(listener)
	if err == nil {
		<-s.ctx.Done() // those who are connected are served until they hang up
	}
	s.cancel()
	_ = listener.Close()
	s.link.Quit(s.ctx) // the outputs end with it, if they have not
	s.running.Wait()
	return err
}

func (s *server) accept(listener net.Listener) error {
	pause := acceptPause
	for {
		conn, err := listener.Accept()
		if isShortage(err) {
			s.link.Logger.Warn("a host's connection waits until there is room for it", "error", err)
			if s.pause(pause) {
				pause = min(2*pause, maxAcceptPause)
				continue
			}
		}
		if err != nil {
			return s.acceptError(err)
		}
		pause = acceptPause
		s.running.Go(func() {
			if err := s.serve(conn); err != nil {
				s.link.Logger.Debug("a connection has ended", "error", err)
			}
		})
	}
}

// How long accepting pauses when the process has no file left for a connection.
const (
	acceptPause    = 5 * time.Millisecond
	maxAcceptPause = time.Second
)

// isShortage reports whether accepting failed for want of something that other
// connections will free.
func isShortage(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ECONNABORTED)
}

// pause waits; false means that nobody is accepted any more.
func (s *server) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.accepting.Done():
		return false
	}
}

// acceptError is nil if the listener was closed because the plugin leaves.
func (s *server) acceptError(err error) error {
	select {
	case <-s.accepting.Done():
		return nil
	default:
	}
	return fmt.Errorf("accept a host's connection: %w", err)
}

// serve answers one host.
func (s *server) serve(conn net.Conn) error {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	connecting, connected := context.WithTimeoutCause(ctx, s.transport.options.connecting, errSilent)
	defer connected()
	if s.link.TLS != nil {
		secure := tls.Server(conn, s.link.TLS.Server)
		if err := secure.HandshakeContext(connecting); err != nil {
			_ = conn.Close()
			if ctx.Err() == nil { // otherwise it is the plugin that ends
				err = orSilent(connecting, err)
				s.link.TLS.Refuse(err)
			}
			return fmt.Errorf("TLS with the host: %w", err)
		}
		conn = secure
	}
	mux, err := yamux.Server(conn, s.transport.options.yamux)
	if err != nil {
		_ = conn.Close()
		return err
	}
	defer func() { _ = mux.Close() }()
	// Closing the session sends what calls have answered before.
	stop := context.AfterFunc(ctx, func() { _ = mux.Close() })
	defer stop()
	streams, err := acceptStreams(connecting, mux)
	if err != nil {
		return orSilent(connecting, err)
	}
	connected()
	calls, cutCalls := context.WithCancel(s.calls)
	defer cutCalls()
	b := newBroker(calls, broker.Yamux(mux), s.transport.options, s.link.Logger, &s.flight,
		func(_ context.Context, err error) error { return err })
	defer b.close()
	defer s.stdout.attach(streams[1])()
	defer s.stderr.attach(streams[2])()
	s.answer(ctx, streams[0], b)
	select {
	case <-s.accepting.Done():
		s.cancel()
	default:
	}
	return nil
}

// errSilent says why a connection was let go.
var errSilent = errors.New("it did not become a host's in time (WithConnectionTimeout)")

// orSilent is err, or errSilent if connecting took too long.
func orSilent(connecting context.Context, err error) error {
	if cause := context.Cause(connecting); errors.Is(cause, errSilent) {
		return cause
	}
	return err
}

// acceptStreams waits for the three streams of a host: nothing is served before.
func acceptStreams(ctx context.Context, mux *yamux.Session) (streams [3]*yamux.Stream, err error) {
	for i := range streams {
		if streams[i], err = mux.Accept(ctx); err != nil {
			return streams, fmt.Errorf("wait for the control and output streams: %w", err)
		}
	}
	return streams, nil
}

// answer serves the control stream until the host hangs it up.
func (s *server) answer(ctx context.Context, conn net.Conn, b *Broker) {
	control, err := newService(&controlService{server: s})
	if err != nil {
		return
	}
	dispenser, err := newService(&dispenserService{server: s, broker: b})
	if err != nil {
		return
	}
	logTooLarge(s.link.Logger,
		serveConn(ctx, conn, services{"Control": control, "Dispenser": dispenser}, s.transport.options, nil))
}

// Shutdown does without being asked what Quit does.
func (s *server) Shutdown(ctx context.Context) error {
	defer s.cancel()
	return s.leave(ctx)
}

// Close ends Serve at once.
func (s *server) Close() error {
	s.cancel()
	return nil
}

// leave finishes what is under way: calls, then shutdown hooks, then output.
func (s *server) leave(ctx context.Context) error {
	s.leaving()
	flightErr := s.finishCalls(ctx)
	s.link.Quit(ctx)
	err := errors.Join(s.stdout.finish(ctx), s.stderr.finish(ctx))
	return errors.Join(flightErr, err)
}

// finishCalls waits for the calls in flight, up to half of the time that is left
// until ctx ends. Those that take longer lose their connection, and their
// contexts end.
func (s *server) finishCalls(ctx context.Context) error {
	share := s.link.ShutdownTimeout / 2
	if deadline, ok := ctx.Deadline(); ok {
		share = time.Until(deadline) / 2
	}
	ctx, cancel := context.WithTimeout(ctx, share)
	defer cancel()
	err := s.flight.wait(ctx)
	if err != nil {
		s.cutCalls()
	}
	return err
}

// controlService is what a host calls to see whether the plugin lives, and to
// end it.
type controlService struct{ server *server }

// Ping answers.
func (c *controlService) Ping(bool, *struct{}) error { return nil }

// Quit answers when everything is finished or the shutdown timeout is over. The
// server ends when the host has the answer and hangs up, or, with a host that
// does not, when the timeout is over again.
func (c *controlService) Quit(bool, *struct{}) error {
	s := c.server
	ctx, cancel := context.WithTimeout(s.ctx, s.link.ShutdownTimeout)
	defer cancel()
	if err := s.leave(ctx); err != nil {
		s.link.Logger.Debug("the plugin leaves before everything is finished", "error", err)
	}
	patience := time.AfterFunc(s.link.ShutdownTimeout, s.cancel)
	context.AfterFunc(s.ctx, func() { patience.Stop() })
	return nil
}

// dispenserService makes instances of plugins.
type dispenserService struct {
	server *server
	broker *Broker
}

// Dispense makes a new instance and answers with the number to dial for it.
func (d *dispenserService) Dispense(name string, id *uint32) error {
	bound := d.server.link.Implements
	plugin, err := d.server.transport.find(name, "plugin", func(c carried) bool { return c.implemented(bound) })
	if err != nil {
		return fmt.Errorf("unknown plugin %q: %w", name, err)
	}
	object, err := plugin.server(d.broker, bound)
	if err != nil {
		return fmt.Errorf("the server function of plugin %q: %w", name, err)
	}
	if *id, err = d.broker.dispense(object); err != nil {
		return fmt.Errorf("plugin %q: %w", name, err)
	}
	return nil
}
