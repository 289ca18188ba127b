package transportnetrpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/transport-netrpc/rpc"
	"github.com/jackfield-go/jackfield/yamux"
)

// server is the plugin's side.
type server struct {
	transport *Transport
	link      core.PluginLink
	ctx       context.Context // of the connections
	cancel    context.CancelFunc
	asking    *core.Calls    // control streams of hosts waiting for the end
	pumps     sync.WaitGroup // of stdout and stderr
	stdout    *pump
	stderr    *pump
}

func newServer(t *Transport, link core.PluginLink) *server {
	s := &server{
		transport: t,
		link:      link,
		asking:    core.NewCalls(),
		stdout:    newPump(link.Stdout),
		stderr:    newPump(link.Stderr),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.pumps.Go(func() { s.stdout.run(s.ctx) })
	s.pumps.Go(func() { s.stderr.run(s.ctx) })
	return s
}

// Fields returns none: the line has six fields over net/rpc.
func (s *server) Fields() []string { return nil }

// Serve answers one host, until it hangs up its control stream. Several peers may be
// connected: a replaced host, a check of the listener.
func (s *server) Serve(conn net.Conn) error {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	connecting, connected := context.WithTimeoutCause(ctx, s.link.ConnectionTimeout, errSilent)
	defer connected()
	conn, err := s.link.TLS.Accept(connecting, conn)
	if err != nil {
		return fmt.Errorf("secure the connection of the host: %w", err)
	}
	mux, err := yamux.Server(conn, s.transport.options.yamux)
	if err != nil {
		_ = conn.Close()
		return err
	}
	defer func() { _ = mux.Close() }()
	// Closing the session sends the answers given before.
	stop := context.AfterFunc(ctx, func() { _ = mux.Close() })
	defer stop()
	streams, err := acceptStreams(connecting, mux)
	if err != nil {
		return orSilent(connecting, err)
	}
	connected()
	calls, cutCalls := context.WithCancel(ctx)
	defer cutCalls()
	defer context.AfterFunc(s.link.Calls.Context(), cutCalls)()
	b := newBroker(calls, broker.Yamux(mux), s.transport.options, s.link.Logger, s.link.Calls,
		func(_ context.Context, err error) error { return err })
	defer b.close()
	defer s.stdout.attach(streams[1])()
	defer s.stderr.attach(streams[2])()
	s.answer(ctx, streams[0], b)
	return nil
}

// errSilent is the reason for closing a silent connection.
var errSilent = errors.New("the peer did not identify itself as a host in time (Config.ConnectionTimeout)")

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
	controls := &controlService{server: s}
	defer controls.hungUp()
	control, err := rpc.NewService(controls)
	if err != nil {
		return
	}
	dispenser, err := rpc.NewService(&dispenserService{server: s, broker: b})
	if err != nil {
		return
	}
	options := s.transport.options
	options.maxMessage = maxControlMessage
	logTooLarge(s.link.Logger,
		options.serve(ctx, conn, map[string]*rpc.Service{"Control": control, "Dispenser": dispenser}, nil))
}

// logTooLarge logs the reason for ending a connection: net/rpc cannot tell it to the
// other side.
func logTooLarge(logger *slog.Logger, err error) {
	var tooLarge *rpc.MessageSizeError
	if errors.As(err, &tooLarge) {
		logger.Warn("a connection of the other side was closed: its message is too large", "error", tooLarge)
	}
}

// Flush waits until the hosts have received all output.
func (s *server) Flush(ctx context.Context) error {
	return errors.Join(s.stdout.finish(ctx), s.stderr.finish(ctx))
}

// Close waits until the hosts waiting for the end have hung up, to acknowledge the
// answer, and ends the connections.
func (s *server) Close(ctx context.Context) {
	_ = s.asking.Drain(ctx)
	s.cancel()
	s.pumps.Wait()
}
