package jsonlines

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/jackfield-go/jackfield/core"
)

// Client calls the methods of one plugin.
type Client struct {
	session *session
	plugin  string
}

// Call calls a method with params, and stores its result in what result points to;
// a nil result drops it. When ctx ends before, Call returns its error, and the
// plugin is told. A connection that is lost is core.ErrConnectionLost, joined with
// the core.ExitError of the plugin's process; one that was closed is
// core.ErrClosed.
func (c *Client) Call(ctx context.Context, method string, params, result any) error {
	return c.session.call(ctx, c.plugin, method, params, result)
}

// session is a host's connection.
type session struct {
	transport *Transport
	link      core.HostLink
	lines     *lines
	done      chan struct{} // closed when nothing comes any more

	last    atomic.Uint64
	waiting sync.Map // of channels for answers, by the numbers of the requests
}

// Dial connects to the plugin, and makes sure that it answers.
func (t *Transport) Dial(ctx context.Context, link core.HostLink) (core.Session, error) {
	conn, err := link.Dial(ctx)
	if err != nil {
		return nil, err
	}
	if conn, err = link.TLS.Connect(ctx, conn); err != nil {
		return nil, err
	}
	s := &session{transport: t, link: link, lines: newLines(conn), done: make(chan struct{})}
	go s.receive()
	if err := s.Ping(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// receive hands answers to who waits for them, and output to the host, until the
// connection ends.
func (s *session) receive() {
	defer close(s.done)
	for {
		var message response
		if err := s.lines.receive(&message); err != nil {
			s.link.Logger.Debug("the connection has ended", "reason", err)
			_ = s.lines.conn.Close() // if it was nonsense that ended it
			return
		}
		// A sink that fails is the host's own business, and the plugin goes on.
		if len(message.Stdout) > 0 {
			_, _ = s.link.Stdout.Write(message.Stdout)
		}
		if len(message.Stderr) > 0 {
			_, _ = s.link.Stderr.Write(message.Stderr)
		}
		waiting, _ := s.waiting.LoadAndDelete(message.ID)
		if answer, ok := waiting.(chan response); ok {
			answer <- message
		}
	}
}

// call makes a request and waits for the answer.
func (s *session) call(ctx context.Context, plugin, method string, params, result any) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	raw, err := json.Marshal(params)
	if err != nil {
		return fmt.Errorf("the params of the call: %w", err)
	}
	id, answer := s.last.Add(1), make(chan response, 1) // nobody may be there any more to receive it
	s.waiting.Store(id, answer)
	defer s.waiting.Delete(id)
	if err := s.lines.send(request{ID: id, Plugin: plugin, Method: method, Params: raw}); err != nil {
		return s.link.Explain(ctx, fmt.Errorf("%w: %w", core.ErrConnectionLost, err))
	}
	select {
	case message := <-answer:
		return message.decode(result)
	case <-ctx.Done():
		_ = s.lines.send(request{Cancel: id})
		return context.Cause(ctx)
	case <-s.done:
	}
	select {
	case message := <-answer: // it was the last thing that came
		return message.decode(result)
	default:
		return s.link.Explain(ctx, core.ErrConnectionLost)
	}
}

// decode stores the result, or returns the plugin's error.
func (r *response) decode(result any) error {
	switch {
	case r.Error != "":
		return errors.New(r.Error)
	case result == nil:
		return nil
	}
	return json.Unmarshal(r.Result, result)
}

// Dispense returns what the application makes of a client.
func (s *session) Dispense(ctx context.Context, name string) (any, error) {
	var carried []string
	for _, p := range s.transport.plugins {
		carried = append(carried, p.name)
	}
	i := slices.Index(carried, name)
	if i < 0 {
		return nil, &core.UnknownPluginError{Name: name, Side: "host", Known: carried}
	}
	var names []string
	if err := s.call(ctx, "", methodPlugins, nil, &names); err != nil {
		return nil, err
	}
	if !slices.Contains(names, name) {
		return nil, &core.UnknownPluginError{Name: name, Side: "plugin", Known: names}
	}
	return s.transport.plugins[i].client(&Client{s, name}), nil
}

// Ping asks for a sign of life.
func (s *session) Ping(ctx context.Context) error { return s.call(ctx, "", methodPing, nil, nil) }

// Quit asks the plugin to leave. The answer comes behind all that it has printed.
func (s *session) Quit(ctx context.Context) error { return s.call(ctx, "", methodQuit, nil, nil) }

// Close drops the connection.
func (s *session) Close() error {
	_ = s.lines.conn.Close()
	<-s.done
	return nil
}

// Done is closed with the connection.
func (s *session) Done() <-chan struct{} { return s.done }
