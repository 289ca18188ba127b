package faketransport

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/jackfield-go/jackfield/core"
)

// server is a plugin's side.
type server struct {
	transport *Transport
	link      core.PluginLink
	ctx       context.Context
	cancel    context.CancelFunc
	running   sync.WaitGroup
	calls     sync.WaitGroup
	outputs   sync.WaitGroup // being copied to a host

	mu      sync.Mutex
	leaving bool // nothing is begun any more
}

// Listen makes the server.
func (t *Transport) Listen(_ context.Context, link core.PluginLink) (core.Server, error) {
	if t.Failure != nil {
		return nil, t.Failure
	}
	if t.Seen != nil {
		t.Seen(link)
	}
	s := &server{transport: t, link: link}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// Fields returns the configured ones.
func (s *server) Fields() []string { return s.transport.Extra }

// Serve answers until the end.
func (s *server) Serve(listener net.Listener) error {
	defer context.AfterFunc(s.ctx, func() { _ = listener.Close() })()
	defer s.running.Wait()
	defer func() { _ = listener.Close() }()
	for {
		conn, err := listener.Accept()
		if s.ctx.Err() != nil {
			if err == nil {
				_ = conn.Close()
			}
			return nil
		}
		if err != nil {
			return err
		}
		s.running.Go(func() { s.serve(conn) })
	}
}

func (s *server) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(s.ctx, func() { _ = conn.Close() })()
	if s.link.TLS != nil {
		secured := tls.Server(conn, s.link.TLS.Server)
		if err := secured.HandshakeContext(s.ctx); err != nil {
			s.link.TLS.Refuse(err)
			return
		}
		conn = secured
	}
	lines := bufio.NewReader(conn)
	kind, err := lines.ReadString('\n')
	if err != nil {
		return
	}
	switch strings.TrimSuffix(kind, "\n") {
	case control:
		s.control(lines, conn)
	case stdout:
		s.output(conn, s.link.Stdout)
	case stderr:
		s.output(conn, s.link.Stderr)
	}
}

// output copies one to the host, to its end.
func (s *server) output(conn net.Conn, source io.Reader) {
	if !s.begin(&s.outputs) {
		return
	}
	defer s.outputs.Done()
	if _, err := conn.Write([]byte{'\n'}); err != nil {
		return
	}
	_, _ = io.Copy(conn, source)
}

// control answers requests, each in a goroutine of its own, so that a call that
// takes long is in nobody's way.
func (s *server) control(lines *bufio.Reader, conn net.Conn) {
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		number, request, err := split(line)
		if err != nil {
			return
		}
		if request == "quit" {
			ctx, cancel := context.WithTimeout(context.Background(), s.link.ShutdownTimeout)
			_ = s.leave(ctx)
			cancel()
			s.answer(conn, number, "ok", "")
			s.cancel()
			return
		}
		s.running.Go(func() {
			text, err := s.handle(request)
			if err != nil {
				s.answer(conn, number, "error", err.Error())
				return
			}
			s.answer(conn, number, "ok", text)
		})
	}
}

func (s *server) answer(conn net.Conn, number int, status, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = io.WriteString(conn, strconv.Itoa(number)+" "+status+" "+strconv.Quote(text)+"\n")
}

// handle does what a request asks for.
func (s *server) handle(request string) (string, error) {
	verb, rest, _ := strings.Cut(request, " ")
	var arguments []string
	for rest != "" {
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return "", errProtocol
		}
		argument, _ := strconv.Unquote(quoted)
		arguments = append(arguments, argument)
		rest = strings.TrimPrefix(rest[len(quoted):], " ")
	}
	switch {
	case verb == "ping":
		return "", nil
	case verb == "dispense" && len(arguments) == 1:
		if s.transport.Objects[arguments[0]] != nil {
			return "", nil
		}
		return strings.Join(slices.Sorted(maps.Keys(s.transport.Objects)), " "), nil
	case verb == "call" && len(arguments) == 2 && s.transport.Objects[arguments[0]] != nil:
		if !s.begin(&s.calls) {
			return "", core.ErrClosed
		}
		defer s.calls.Done()
		return s.transport.Objects[arguments[0]](s.ctx, arguments[1])
	}
	return "", errProtocol
}

// begin counts something that the end waits for, until the end has begun.
func (s *server) begin(group *sync.WaitGroup) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leaving {
		return false
	}
	group.Add(1)
	return true
}

// leave finishes calls, hooks and output.
func (s *server) leave(ctx context.Context) error {
	s.mu.Lock()
	s.leaving = true
	s.mu.Unlock()
	if err := await(ctx, &s.calls); err != nil {
		return err
	}
	s.link.Quit(ctx)
	return await(ctx, &s.outputs)
}

// await waits for a group, at most until ctx ends.
func await(ctx context.Context, group *sync.WaitGroup) error {
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		group.Wait()
	}()
	select {
	case <-finished:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Shutdown leaves in order.
func (s *server) Shutdown(ctx context.Context) error {
	defer s.cancel()
	return s.leave(ctx)
}

// Close ends Serve at once.
func (s *server) Close() error {
	s.cancel()
	return nil
}
