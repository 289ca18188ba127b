package jsonlines

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/jackfield-go/jackfield/core"
)

// server is a plugin's side.
type server struct {
	link    core.PluginLink
	methods map[string]map[string]Method // by the plugins' names; "" is the transport itself
	ctx     context.Context              // ends with the server
	end     context.CancelFunc
	output  sync.Once   // the first host that speaks gets it
	copies  *core.Calls // of the output, under way
	own     *core.Calls // of the transport's own methods
}

// NewServer makes the server.
func (t *Transport) NewServer(_ context.Context, link core.PluginLink) (core.Server, error) {
	s := &server{link: link, methods: t.methods(link.Implements), copies: core.NewCalls(), own: core.NewCalls()}
	s.ctx, s.end = context.WithCancel(context.Background())
	plugins := slices.Sorted(maps.Keys(s.methods))
	s.methods[""] = map[string]Method{
		methodPing:    func(context.Context, json.RawMessage) (any, error) { return nil, nil },
		methodPlugins: func(context.Context, json.RawMessage) (any, error) { return plugins, nil },
		methodQuit:    func(context.Context, json.RawMessage) (any, error) { link.Quit(); return nil, nil },
	}
	return s, nil
}

// Fields returns none.
func (*server) Fields() []string { return nil }

// Serve answers one connection until it ends, or says what cannot be read.
func (s *server) Serve(conn net.Conn) error {
	securing, secured := context.WithTimeout(s.ctx, s.link.ConnectionTimeout)
	conn, err := s.link.TLS.Accept(securing, conn)
	secured()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(s.link.Calls.Context())
	defer cancel()
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(s.ctx, func() { _ = conn.Close() })()
	c := &connection{server: s, lines: newLines(conn)}
	for {
		var message request
		if err := c.lines.receive(&message); err != nil {
			return err
		}
		s.output.Do(func() {
			s.send(c.lines, s.link.Stdout, func(b []byte) response { return response{Stdout: b} })
			s.send(c.lines, s.link.Stderr, func(b []byte) response { return response{Stderr: b} })
		})
		c.take(ctx, message)
	}
}

// send copies an output to a host. When that fails, the rest is dropped: the
// plugin must not wait for a host that has gone.
func (s *server) send(to *lines, output io.Reader, message func([]byte) response) {
	if !s.copies.Begin() {
		return
	}
	go func() {
		defer s.copies.End()
		var lost error
		chunk := make([]byte, 32<<10)
		for {
			n, err := output.Read(chunk)
			if n > 0 && lost == nil {
				lost = to.send(message(chunk[:n]))
			}
			if err != nil {
				return
			}
		}
	}()
}

// Flush waits until the output has been sent.
func (s *server) Flush(ctx context.Context) error { return s.copies.Drain(ctx) }

// Close ends the connections, once the hosts that asked have their answers.
func (s *server) Close(ctx context.Context) {
	_ = s.own.Drain(ctx)
	s.end()
}

// connection is one host's.
type connection struct {
	server  *server
	lines   *lines
	calls   atomic.Int64 // that are being answered
	cancels sync.Map     // of their contexts, by the numbers of the requests
}

// take begins to do what the host wants.
func (c *connection) take(ctx context.Context, message request) {
	if message.Cancel != 0 {
		call, _ := c.cancels.Load(message.Cancel)
		if cancel, ok := call.(context.CancelFunc); ok {
			cancel()
		}
		return
	}
	if c.calls.Load() >= maxCalls {
		_ = c.lines.send(response{ID: message.ID, Error: "too many calls at a time"})
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	c.calls.Add(1)
	c.cancels.Store(message.ID, cancel)
	go func() {
		defer c.calls.Add(-1)
		defer c.cancels.Delete(message.ID)
		defer cancel()
		calls := c.server.link.Calls
		if message.Plugin == "" {
			calls = c.server.own
		}
		if !calls.Begin() {
			_ = c.lines.send(response{ID: message.ID, Error: "the plugin is leaving"})
			return
		}
		defer calls.End() // with its answer sent
		_ = c.lines.send(c.server.answer(ctx, message))
	}()
}

// answer does what a request asks for.
func (s *server) answer(ctx context.Context, message request) response {
	method := s.methods[message.Plugin][message.Method]
	if method == nil {
		return response{ID: message.ID, Error: fmt.Sprintf("the plugin %q has no method %q", message.Plugin, message.Method)}
	}
	result, err := method(ctx, message.Params)
	answer := response{ID: message.ID}
	if err == nil {
		answer.Result, err = json.Marshal(result)
	}
	if err != nil {
		answer.Error = err.Error()
	}
	return answer
}
