package faketransport

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/jackfield-go/jackfield/core"
)

// Client is a dispensed client.
type Client struct {
	session *session
	name    string
}

// Call calls the object.
func (c *Client) Call(ctx context.Context, argument string) (string, error) {
	return c.session.request(ctx, "call", c.name, argument)
}

// session is a host's open connection.
type session struct {
	link    core.HostLink
	control net.Conn
	outputs []net.Conn
	copies  sync.WaitGroup // of the outputs
	reading sync.WaitGroup
	done    chan struct{}

	mu      sync.Mutex
	last    int
	waiting map[int]chan<- string
}

// Dial connects.
func (t *Transport) Dial(ctx context.Context, link core.HostLink) (core.Session, error) {
	if t.Failure != nil {
		return nil, t.Failure
	}
	s := &session{link: link, done: make(chan struct{}), waiting: make(map[int]chan<- string)}
	dial := dialerOf(link)
	var err error
	if s.control, err = dial(ctx, control); err != nil {
		return nil, err
	}
	for name, sink := range map[string]io.Writer{stdout: link.Stdout, stderr: link.Stderr} {
		conn, err := dial(ctx, name)
		if err != nil {
			_ = s.control.Close()
			s.closeOutputs()
			return nil, err
		}
		s.outputs = append(s.outputs, conn)
		if err := acknowledged(ctx, conn); err != nil {
			_ = s.control.Close()
			s.closeOutputs()
			return nil, err
		}
		s.copies.Go(func() { _, _ = io.Copy(sink, conn) })
	}
	s.reading.Go(s.read)
	if err := s.Ping(ctx); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// acknowledged waits for the plugin's confirmation that it copies an output: a
// plugin asked to leave earlier would not copy it.
func acknowledged(ctx context.Context, conn net.Conn) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	_, err := io.ReadFull(conn, make([]byte, 1))
	return errors.Join(err, context.Cause(ctx))
}

func dialerOf(link core.HostLink) dialer {
	return func(ctx context.Context, name string) (net.Conn, error) {
		conn, err := link.Dial(ctx)
		if err != nil {
			return nil, err
		}
		if conn, err = link.TLS.Connect(ctx, conn); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(conn, name+"\n"); err != nil {
			_ = conn.Close()
			return nil, err
		}
		return conn, nil
	}
}

// read passes answers to the waiting requests. The connection is lost when the
// output has been read to its end too.
func (s *session) read() {
	defer close(s.done)
	defer s.copies.Wait()
	lines := bufio.NewReader(s.control)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		number, rest, err := split(line)
		if err != nil {
			return
		}
		s.mu.Lock()
		answer := s.waiting[number]
		delete(s.waiting, number)
		s.mu.Unlock()
		if answer != nil {
			answer <- rest
		}
	}
}

// request asks and waits for the answer.
func (s *session) request(ctx context.Context, verb string, arguments ...string) (string, error) {
	answer := make(chan string, 1)
	s.mu.Lock()
	s.last++
	number := s.last
	s.waiting[number] = answer
	var text strings.Builder
	text.WriteString(strconv.Itoa(number) + " " + verb)
	for _, argument := range arguments {
		text.WriteString(" " + strconv.Quote(argument))
	}
	_, err := io.WriteString(s.control, text.String()+"\n")
	s.mu.Unlock()
	if err != nil {
		return "", s.link.Explain(ctx, fmt.Errorf("%w: %w", core.ErrConnectionLost, err))
	}
	select {
	case text := <-answer:
		return decode(text)
	case <-s.done:
		select {
		case text := <-answer:
			return decode(text)
		default:
		}
		return "", s.link.Explain(ctx, core.ErrConnectionLost)
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// decode reads an answer.
func decode(text string) (string, error) {
	status, quoted, _ := strings.Cut(text, " ")
	value, err := strconv.Unquote(quoted)
	switch {
	case err != nil:
		return "", errProtocol
	case status == "ok":
		return value, nil
	}
	return "", errors.New(value)
}

// Dispense asks whether the object exists.
func (s *session) Dispense(ctx context.Context, name string) (any, error) {
	known, err := s.request(ctx, "dispense", name)
	if err != nil {
		return nil, err
	}
	if known != "" {
		return nil, &core.UnknownPluginError{Name: name, Side: "plugin", Known: strings.Split(known, " ")}
	}
	return &Client{session: s, name: name}, nil
}

// Ping asks for an answer.
func (s *session) Ping(ctx context.Context) error {
	_, err := s.request(ctx, "ping")
	return err
}

// Quit asks the plugin to leave and reads its output to the end.
func (s *session) Quit(ctx context.Context) error {
	if _, err := s.request(ctx, "quit"); err != nil {
		return err
	}
	copied := make(chan struct{})
	go func() {
		s.copies.Wait()
		close(copied)
	}()
	select {
	case <-copied:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close drops the connection.
func (s *session) Close() error {
	_ = s.control.Close()
	s.closeOutputs()
	s.reading.Wait()
	return nil
}

func (s *session) closeOutputs() {
	for _, conn := range s.outputs {
		_ = conn.Close()
	}
	s.copies.Wait()
}

// Done is closed with the connection.
func (s *session) Done() <-chan struct{} { return s.done }
