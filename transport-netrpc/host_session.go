package transportnetrpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/transport-netrpc/rpc"
	"github.com/jackfield-go/jackfield/yamux"
)

// session is the host's side of a connection (protocol §4).
type session struct {
	transport *Transport
	link      core.HostLink
	mux       *yamux.Session
	control   *Client
	broker    *Broker
	cancel    context.CancelFunc
	stdio     sync.WaitGroup
	undrained atomic.Int32  // stdio streams that have not ended
	printed   chan struct{} // closed when both stdio streams have ended
	closing   sync.Once
}

// dial connects, opens the three streams that every connection begins with, and
// waits until the plugin has accepted them.
func dial(ctx context.Context, t *Transport, link core.HostLink) (*session, error) {
	conn, err := connect(ctx, link)
	if err != nil {
		return nil, err
	}
	mux, err := yamux.Client(conn, t.options.yamux)
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("start the multiplexed connection: %w", err)
	}
	streams, err := openStreams(ctx, mux)
	if err != nil {
		_ = mux.Close()
		return nil, fmt.Errorf("open the control and output streams: %w", err)
	}
	own, cancel := context.WithCancel(context.Background())
	s := &session{
		transport: t,
		link:      link,
		mux:       mux,
		control:   rpc.NewClient(streams[0], rpc.ClientConfig{MaxMessageSize: maxControlMessage, Explain: link.Explain}),
		broker:    newBroker(own, broker.Yamux(mux), t.options, link.Logger, nil, link.Explain),
		cancel:    cancel,
		printed:   make(chan struct{}),
	}
	s.undrained.Store(2)
	s.stdio.Go(func() { s.drain("stdout", link.Stdout, streams[1]) })
	s.stdio.Go(func() { s.drain("stderr", link.Stderr, streams[2]) })
	if err := streams[2].Acknowledged(ctx); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("the plugin accepted the connection, but does not answer as a net/rpc plugin does: %w", err)
	}
	return s, nil
}

func connect(ctx context.Context, link core.HostLink) (net.Conn, error) {
	conn, err := link.Dial(ctx)
	if err != nil {
		return nil, err
	}
	if conn, err = link.TLS.Connect(ctx, conn); err != nil {
		return nil, fmt.Errorf("secure the connection to the plugin: %w", err)
	}
	return conn, nil
}

func openStreams(ctx context.Context, mux *yamux.Session) (streams [3]*yamux.Stream, err error) {
	for i := range streams {
		if streams[i], err = mux.Open(ctx); err != nil {
			return streams, err
		}
	}
	return streams, nil
}

// drain copies what the plugin prints to its sink. A sink that fails does not
// stop the plugin: the rest is dropped.
func (s *session) drain(name string, sink io.Writer, stream *yamux.Stream) {
	defer func() {
		if s.undrained.Add(-1) == 0 {
			close(s.printed)
		}
	}()
	guarded := &sinkWriter{sink: sink}
	_, err := io.Copy(guarded, stream)
	if guarded.err == nil {
		return
	}
	s.link.Logger.Warn("the sink for what the plugin prints failed; the rest is dropped",
		"stream", name, "error", guarded.err)
	if err != nil {
		_, _ = io.Copy(io.Discard, stream)
	}
}

// sinkWriter remembers that it was the sink, not the stream, that failed.
type sinkWriter struct {
	sink io.Writer
	err  error
}

func (w *sinkWriter) Write(p []byte) (int, error) {
	n, err := w.sink.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	w.err = err
	return n, err
}

// Dispense asks the plugin for a new instance and connects to it.
func (s *session) Dispense(ctx context.Context, name string) (any, error) {
	plugin, err := s.transport.find(name, "host", every)
	if err != nil {
		return nil, err
	}
	var id uint32
	if err := s.control.Call(ctx, "Dispenser.Dispense", name, &id); err != nil {
		return nil, dispenseError(name, err)
	}
	client, err := s.broker.Client(ctx, id)
	if err != nil {
		return nil, s.link.Explain(ctx, err)
	}
	made, err := plugin.client(s.broker, client)
	if err != nil {
		_ = client.Close()
		return nil, fmt.Errorf("the client function of plugin %q: %w", name, err)
	}
	return made, nil
}

// dispenseError gives the type to a plugin's answer that it does not have the
// name: this library's and go-plugin's answers begin alike.
func dispenseError(name string, err error) error {
	var remote RemoteError
	if !errors.As(err, &remote) || !strings.HasPrefix(string(remote), "unknown plugin") {
		return fmt.Errorf("dispense %q: %w", name, err)
	}
	return fmt.Errorf("%w (the plugin's answer: %w)", &core.UnknownPluginError{Name: name, Side: "plugin"}, remote)
}

// Ping calls Control.Ping.
func (s *session) Ping(ctx context.Context) error {
	return s.control.Call(ctx, "Control.Ping", true, nil)
}

// Quit calls Control.Quit, hangs up the control stream as a sign that the answer
// has come, and waits for the end of the output.
func (s *session) Quit(ctx context.Context) error {
	err := s.control.Call(ctx, "Control.Quit", true, nil)
	// A plugin's exit may overtake its answer, and then the session may be
	// closed already.
	if err != nil && !errors.Is(err, core.ErrConnectionLost) && !errors.Is(err, core.ErrClosed) {
		return err
	}
	_ = s.control.Close()
	select {
	case <-s.printed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the end of the plugin's output: %w", context.Cause(ctx))
	}
}

// Done is closed with the multiplexed connection.
func (s *session) Done() <-chan struct{} { return s.mux.Done() }

// Close drops the connection. If the plugin's process has ended before, calls
// in flight have lost their connection; otherwise they were closed.
func (s *session) Close() error {
	s.closing.Do(func() {
		select {
		case <-s.link.Exited:
			s.broker.lose(core.ErrConnectionLost)
			s.control.CloseWithError(core.ErrConnectionLost)
		default:
		}
		s.cancel()
		s.broker.close()
		_ = s.control.Close()
		_ = s.mux.Close()
		s.stdio.Wait()
	})
	return nil
}
