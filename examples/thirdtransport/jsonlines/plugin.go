package jsonlines

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/jackfield-go/jackfield/core"
)

// server is a plugin's side.
type server struct {
	link    core.PluginLink
	methods map[string]map[string]Method // by the plugins' names
	ctx     context.Context              // ends with the server
	end     context.CancelFunc
	calls   context.Context // ends when calls have had time enough
	cutOff  context.CancelFunc
	serving sync.WaitGroup // connections
	output  sync.Once      // the first host that speaks gets it

	mu       sync.Mutex
	inFlight int
	idle     chan struct{} // closed when nothing is in flight; nil before leaving
	sent     chan struct{} // closed when the output is; nil while nobody gets it
}

// Listen makes the server.
func (t *Transport) Listen(_ context.Context, link core.PluginLink) (core.Server, error) {
	s := &server{link: link, methods: t.methods(link.Implements)}
	s.ctx, s.end = context.WithCancel(context.Background())
	s.calls, s.cutOff = context.WithCancel(s.ctx)
	return s, nil
}

// Fields returns none.
func (*server) Fields() []string { return nil }

// Serve answers connections until the end.
func (s *server) Serve(listener net.Listener) error {
	defer s.serving.Wait()
	defer context.AfterFunc(s.ctx, func() { _ = listener.Close() })()
	defer func() { _ = listener.Close() }()
	for {
		conn, err := listener.Accept()
		if err != nil {
			if s.ctx.Err() != nil {
				return nil
			}
			return err
		}
		if s.link.TLS != nil {
			conn = tls.Server(conn, s.link.TLS.Server)
		}
		s.serving.Go(func() { s.serve(conn) })
	}
}

// serve answers one connection until it ends, or says what cannot be read.
func (s *server) serve(conn net.Conn) {
	c := &connection{server: s, lines: newLines(conn), cancels: make(map[uint64]context.CancelFunc)}
	defer c.running.Wait()
	ctx, cancel := context.WithCancel(s.calls)
	defer cancel()
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(s.ctx, func() { _ = conn.Close() })()
	for {
		var message request
		if err := c.lines.receive(&message); err != nil {
			return
		}
		s.output.Do(func() { s.copyOutput(c) })
		c.take(ctx, message)
	}
}

// connection is one host's.
type connection struct {
	server  *server
	lines   *lines
	running sync.WaitGroup

	mu      sync.Mutex
	cancels map[uint64]context.CancelFunc // by the requests that are being answered
}

// take begins to do what the host wants.
func (c *connection) take(ctx context.Context, message request) {
	if message.Cancel != 0 {
		c.cancel(message.Cancel)
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	if !c.note(message.ID, cancel) {
		cancel()
		_ = c.lines.send(response{ID: message.ID, Error: "this number is in use, or too many are"})
		return
	}
	c.running.Go(func() {
		_ = c.lines.send(c.server.answer(ctx, message))
		c.cancel(message.ID)
		if message.Plugin == "" && message.Method == methodQuit {
			c.server.end()
		}
	})
}

// note keeps how to cancel a request, unless it is one too many.
func (c *connection) note(id uint64, cancel context.CancelFunc) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancels[id] != nil || len(c.cancels) >= maxCalls {
		return false
	}
	c.cancels[id] = cancel
	return true
}

// cancel ends the context of a request, and forgets it.
func (c *connection) cancel(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cancel := c.cancels[id]; cancel != nil {
		cancel()
		delete(c.cancels, id)
	}
}

// answer does what a request asks for.
func (s *server) answer(ctx context.Context, message request) response {
	result, err := s.handle(ctx, message)
	if err == nil {
		var raw []byte
		if raw, err = json.Marshal(result); err == nil {
			return response{ID: message.ID, Result: raw}
		}
	}
	return response{ID: message.ID, Error: err.Error()}
}

func (s *server) handle(ctx context.Context, message request) (any, error) {
	if message.Plugin == "" {
		switch message.Method {
		case methodPing:
			return nil, nil
		case methodPlugins:
			return slices.Sorted(maps.Keys(s.methods)), nil
		case methodQuit:
			ctx, cancel := context.WithTimeout(s.ctx, s.link.ShutdownTimeout)
			defer cancel()
			return nil, s.leave(ctx)
		}
	}
	method := s.methods[message.Plugin][message.Method]
	if method == nil {
		return nil, fmt.Errorf("the plugin %q has no method %q", message.Plugin, message.Method)
	}
	if !s.begin() {
		return nil, errors.New("the plugin is leaving")
	}
	defer s.finish()
	return method(ctx, message.Params)
}

// begin counts a call, unless the plugin is leaving.
func (s *server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idle != nil {
		return false
	}
	s.inFlight++
	return true
}

func (s *server) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inFlight--; s.inFlight == 0 && s.idle != nil {
		close(s.idle)
	}
}

// leave lets calls finish, runs the plugin's shutdown hooks, and sends what it
// printed. Calls get half of the time that there is.
func (s *server) leave(ctx context.Context) error {
	idle := s.refuse()
	patience := time.AfterFunc(s.link.ShutdownTimeout/2, s.cutOff)
	defer patience.Stop()
	select {
	case <-idle:
	case <-s.calls.Done():
	case <-ctx.Done():
	}
	s.link.Quit(ctx)
	s.mu.Lock()
	sent := s.sent
	s.mu.Unlock()
	if sent == nil {
		return context.Cause(ctx)
	}
	select {
	case <-sent:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// refuse lets no more calls begin, and returns what is closed when the last one has
// finished.
func (s *server) refuse() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idle == nil {
		s.idle = make(chan struct{})
		if s.inFlight == 0 {
			close(s.idle)
		}
	}
	return s.idle
}

// copyOutput sends what the plugin prints to a host, from now on.
func (s *server) copyOutput(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = make(chan struct{})
	var copies sync.WaitGroup
	copies.Go(func() { copyChunks(s.link.Stdout, func(b []byte) error { return c.lines.send(response{Stdout: b}) }) })
	copies.Go(func() { copyChunks(s.link.Stderr, func(b []byte) error { return c.lines.send(response{Stderr: b}) }) })
	go func() {
		defer close(s.sent)
		copies.Wait()
	}()
}

// copyChunks sends all of r. When that fails, the rest is dropped: the plugin must
// not wait for a host that has gone.
func copyChunks(r io.Reader, send func([]byte) error) {
	chunk := make([]byte, 32<<10)
	for {
		n, err := r.Read(chunk)
		if n > 0 && send(chunk[:n]) != nil {
			_, _ = io.Copy(io.Discard, r)
			return
		}
		if err != nil {
			return
		}
	}
}

// Shutdown leaves in order, and ends Serve.
func (s *server) Shutdown(ctx context.Context) error {
	defer s.end()
	return s.leave(ctx)
}

// Close ends Serve at once.
func (s *server) Close() error {
	s.end()
	return nil
}
