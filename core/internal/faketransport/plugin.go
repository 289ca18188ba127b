package faketransport

import (
	"bufio"
	"context"
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
	outputs   *core.Calls // outputs that are being copied to a host
	quits     *core.Calls // answers to hosts that asked the plugin to leave
	answering sync.Mutex
}

// NewServer makes the server.
func (t *Transport) NewServer(_ context.Context, link core.PluginLink) (core.Server, error) {
	if t.Failure != nil {
		return nil, t.Failure
	}
	if t.Seen != nil {
		t.Seen(link)
	}
	s := &server{transport: t, link: link, outputs: core.NewCalls(), quits: core.NewCalls()}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// Fields returns the configured fields.
func (s *server) Fields() []string { return s.transport.Extra }

// Serve serves one connection.
func (s *server) Serve(conn net.Conn) error {
	ctx, cancel := context.WithTimeout(s.ctx, s.link.ConnectionTimeout)
	conn, err := s.link.TLS.Accept(ctx, conn)
	cancel()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(s.ctx, func() { _ = conn.Close() })()
	lines := bufio.NewReader(conn)
	kind, err := lines.ReadString('\n')
	if err != nil {
		return err
	}
	switch strings.TrimSuffix(kind, "\n") {
	case control:
		s.control(lines, conn)
	case stdout:
		s.output(conn, s.link.Stdout)
	case stderr:
		s.output(conn, s.link.Stderr)
	default:
		return errProtocol
	}
	return nil
}

// output copies one to the host, to its end.
func (s *server) output(conn net.Conn, source io.Reader) {
	if !s.outputs.Begin() {
		return
	}
	defer s.outputs.End()
	if _, err := conn.Write([]byte{'\n'}); err != nil {
		return
	}
	_, _ = io.Copy(conn, source)
}

// control answers requests, each in a goroutine of its own, so that a long call
// does not delay others.
func (s *server) control(lines *bufio.Reader, conn net.Conn) {
	var running sync.WaitGroup
	defer running.Wait()
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
			if s.quits.Begin() {
				s.link.Quit()
				s.answer(conn, number, "ok", "")
				s.quits.End()
			}
			return
		}
		running.Go(func() {
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
	s.answering.Lock()
	defer s.answering.Unlock()
	_, _ = io.WriteString(conn, strconv.Itoa(number)+" "+status+" "+strconv.Quote(text)+"\n")
}

// handle executes a request.
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
		if !s.link.Calls.Begin() {
			return "", core.ErrClosed
		}
		defer s.link.Calls.End()
		return s.transport.Objects[arguments[0]](s.link.Calls.Context(), arguments[1])
	}
	return "", errProtocol
}

// Flush waits until the outputs have been copied.
func (s *server) Flush(ctx context.Context) error { return s.outputs.Drain(ctx) }

// Close waits for the answers to the asking hosts, and ends the connections.
func (s *server) Close(ctx context.Context) {
	_ = s.quits.Drain(ctx)
	s.cancel()
}
