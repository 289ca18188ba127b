package transportnetrpc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/jackfield-go/jackfield/core"
)

// session is the host's side (protocol §4). It has one connection at a time. After
// the loss of a connection, while the plugin lives, the next Dispense or Ping makes a
// new connection.
type session struct {
	transport *Transport
	link      core.HostLink
	ctx       context.Context // ends with Close
	cancel    context.CancelFunc
	changing  chan struct{} // held while the connection is replaced

	mu      sync.Mutex
	current *connection
}

// dial makes the first connection.
func dial(ctx context.Context, t *Transport, link core.HostLink) (*session, error) {
	s := &session{transport: t, link: link, changing: make(chan struct{}, 1)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	var err error
	if s.current, err = s.connect(ctx); err != nil {
		s.cancel()
		return nil, err
	}
	return s, nil
}

// live returns the current connection, or replaces it if it was lost. After Close
// it returns the last connection; calls over it fail with the reason.
func (s *session) live(ctx context.Context) (*connection, error) {
	if c := s.latest(); !c.lost() || s.ctx.Err() != nil {
		return c, nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.ctx, func() { cancel(core.ErrClosed) })()
	select {
	case s.changing <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-s.changing }()
	old := s.latest()
	if !old.lost() || s.ctx.Err() != nil {
		return old, nil
	}
	return s.replace(ctx, old)
}

// replace makes a new connection after a loss, unless the plugin's end was the reason.
// Dispensed and borrowed objects are lost with their connection.
func (s *session) replace(ctx context.Context, old *connection) (*connection, error) {
	reason := fmt.Errorf("%w: %w", core.ErrConnectionLost, old.mux.Err())
	if err := s.link.Explain(ctx, reason); s.exited() || errors.Is(err, core.ErrClosed) {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	old.lose()
	if err := closeWithin(ctx, old); err != nil {
		return nil, err
	}
	made, err := s.connect(ctx)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("%w, and the plugin takes no other: %w", reason, err)
	}
	s.link.Logger.WarnContext(ctx, "the connection to the plugin was lost, and a new one was made", "reason", old.mux.Err())
	s.mu.Lock()
	s.current = made
	s.mu.Unlock()
	return made, nil
}

// closeWithin closes a connection and waits for that until ctx ends: a sink of the host may
// block a print. The next caller waits for the same end.
func closeWithin(ctx context.Context, c *connection) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.close()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *session) latest() *connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

// exited reports whether the plugin's process has ended.
func (s *session) exited() bool {
	select {
	case <-s.link.Exited:
		return true
	default:
		return false
	}
}

// explain adds the reason to the error of a call after a lost connection.
func (s *session) explain(ctx context.Context, err error) error {
	err = s.link.Explain(ctx, err)
	if s.exited() || s.ctx.Err() != nil || !errors.Is(err, core.ErrConnectionLost) {
		return err
	}
	return fmt.Errorf("%w (the plugin still runs: dispense again)", err)
}

// Dispense asks the plugin for a new instance and connects to it.
func (s *session) Dispense(ctx context.Context, name string) (any, error) {
	plugin, err := s.transport.find(name, "host", every)
	if err != nil {
		return nil, err
	}
	c, err := s.live(ctx)
	if err != nil {
		return nil, fmt.Errorf("dispense %q: %w", name, err)
	}
	var id uint32
	if err := c.control.Call(ctx, "Dispenser.Dispense", name, &id); err != nil {
		return nil, dispenseError(name, err)
	}
	client, err := c.broker.Client(ctx, id)
	if err != nil {
		return nil, s.explain(ctx, err)
	}
	made, err := plugin.client(c.broker, client)
	if err != nil {
		_ = client.Close()
		return nil, fmt.Errorf("the client function of plugin %q: %w", name, err)
	}
	return made, nil
}

// dispenseError gives an UnknownPluginError its type: the answers of this library's
// and of go-plugin's plugins begin alike.
func dispenseError(name string, err error) error {
	var remote RemoteError
	if !errors.As(err, &remote) || !strings.HasPrefix(string(remote), "unknown plugin") {
		return fmt.Errorf("dispense %q: %w", name, err)
	}
	return fmt.Errorf("%w (the plugin's answer: %w)", &core.UnknownPluginError{Name: name, Side: "plugin"}, remote)
}

// Ping calls Control.Ping.
func (s *session) Ping(ctx context.Context) error {
	c, err := s.live(ctx)
	if err != nil {
		return err
	}
	return c.control.Call(ctx, "Control.Ping", true, nil)
}

// Quit calls Control.Quit, hangs up the control stream to acknowledge the answer, and
// waits for the end of the output. It makes no new connection: the host has other
// means to end the plugin.
func (s *session) Quit(ctx context.Context) error {
	c := s.latest()
	if c.lost() {
		return s.link.Explain(ctx, fmt.Errorf("the plugin cannot be asked to leave: %w: %w", core.ErrConnectionLost, c.mux.Err()))
	}
	err := c.control.Call(ctx, "Control.Quit", true, nil)
	// A plugin's exit may overtake its answer, and then the session may be
	// closed already.
	if err != nil && !errors.Is(err, core.ErrConnectionLost) && !errors.Is(err, core.ErrClosed) {
		return err
	}
	_ = c.control.Close()
	select {
	case <-c.printed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the end of the plugin's output: %w", context.Cause(ctx))
	}
}

// Done is closed with the present multiplexed connection.
func (s *session) Done() <-chan struct{} { return s.latest().mux.Done() }

// Close drops the connection. Calls in flight fail as closed, or as lost if the
// plugin's process has ended before.
func (s *session) Close() error {
	s.cancel()
	s.changing <- struct{}{} // nobody makes a connection now
	defer func() { <-s.changing }()
	c := s.latest()
	if s.exited() {
		c.lose()
	}
	c.close()
	return nil
}
