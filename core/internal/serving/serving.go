// Package serving drives a transport's server in a plugin: it accepts the
// connections, and takes the server through the order of leaving.
package serving

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackfield-go/jackfield/core"
)

// Config is a Server's configuration besides the transport's own link.
type Config struct {
	// Timeout limits the leaving: the calls get half of it, the answers to the
	// asking hosts another half after it.
	Timeout time.Duration
	// Leave runs the shutdown functions and ends Stdout and Stderr. It returns
	// soon after ctx has ended.
	Leave func(ctx context.Context)
}

// Server is a transport's server with its connections.
type Server struct {
	cfg         Config
	logger      *slog.Logger
	server      core.Server
	calls       *core.Calls
	leaving     context.Context // no connection is accepted any more
	leave       context.CancelFunc
	alive       context.Context // ends when nothing is waited for any more
	abandon     context.CancelFunc
	ready       chan struct{} // closed when the hosts that asked can be answered
	asked       atomic.Bool   // a host has asked the plugin to leave
	served      atomic.Bool   // Serve was called
	connections sync.WaitGroup
}

// New makes the transport's server. It sets the link's Calls and Quit.
func New(ctx context.Context, t core.Transport, link core.PluginLink, cfg Config) (*Server, error) {
	s := &Server{cfg: cfg, logger: link.Logger, calls: core.NewCalls(), ready: make(chan struct{})}
	s.alive, s.abandon = context.WithCancel(context.Background())
	s.leaving, s.leave = context.WithCancel(s.alive)
	link.Calls = s.calls
	link.Quit = s.quit
	var err error
	if s.server, err = t.NewServer(ctx, link); err != nil {
		s.abandon()
		return nil, err
	}
	return s, nil
}

// Fields returns the transport's fields of the handshake line.
func (s *Server) Fields() []string { return s.server.Fields() }

// Serve accepts connections until a host asks the plugin to leave, or Leave or
// Close is called; then it goes through the order of leaving and returns nil. It
// closes listener. Serve is called once.
func (s *Server) Serve(listener net.Listener) error {
	s.served.Store(true)
	err := s.accept(listener)
	ctx, cancel := context.WithTimeout(s.alive, s.cfg.Timeout)
	defer cancel()
	s.finishCalls(ctx)
	s.cfg.Leave(ctx)
	if err := s.server.Flush(ctx); err != nil {
		s.logger.DebugContext(ctx, "the plugin leaves before all that it printed has been sent", "error", err)
	}
	close(s.ready)
	if s.asked.Load() {
		ctx, cancel = context.WithTimeout(s.alive, s.cfg.Timeout/2)
		defer cancel()
	}
	s.server.Close(ctx)
	s.connections.Wait()
	return err
}

// Leave makes Serve leave in order.
func (s *Server) Leave() { s.leave() }

// Close makes Serve leave at once. Without Serve it ends the server: Stdout and
// Stderr have ended by then.
func (s *Server) Close() {
	s.abandon()
	s.calls.Cut()
	if !s.served.Load() {
		s.server.Close(s.alive)
	}
}

// quit is the Quit of the transport's link.
func (s *Server) quit() {
	s.asked.Store(true)
	s.leave()
	<-s.ready
}

// finishCalls waits for the calls in flight, for half of the timeout. Then it ends their contexts,
// and waits an eighth for the calls to return.
func (s *Server) finishCalls(ctx context.Context) {
	if s.drain(ctx, s.cfg.Timeout/2) == nil {
		return
	}
	s.calls.Cut()
	if err := s.drain(ctx, s.cfg.Timeout/8); err != nil {
		s.logger.DebugContext(ctx, "the plugin leaves before its calls have finished", "error", err)
	}
}

func (s *Server) drain(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return s.calls.Drain(ctx)
}

// accept serves connections, each in a goroutine, until the plugin leaves.
func (s *Server) accept(listener net.Listener) error {
	defer func() { _ = listener.Close() }()
	defer context.AfterFunc(s.leaving, func() { _ = listener.Close() })()
	pause := acceptPause
	for {
		conn, err := listener.Accept()
		switch {
		case err == nil:
			pause = acceptPause
			s.connections.Go(func() { s.serve(conn) })
		case s.leaving.Err() != nil:
			return nil
		case isShortage(err):
			s.logger.Warn("a host's connection waits until there is room for it", "error", err)
			s.wait(pause)
			pause = min(2*pause, maxAcceptPause)
		default:
			return fmt.Errorf("accept a host's connection: %w", err)
		}
	}
}

func (s *Server) serve(conn net.Conn) {
	if err := s.server.Serve(conn); err != nil {
		s.logger.Debug("a connection has ended", "error", err)
	}
}

// The pause between calls of Accept when the process has no file left for a connection.
const (
	acceptPause    = 5 * time.Millisecond
	maxAcceptPause = time.Second
)

// isShortage reports whether Accept failed for lack of a resource freed by
// other connections.
func isShortage(err error) bool {
	for _, shortage := range []error{
		syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED,
		errWindowsFiles, errWindowsBuffers, errWindowsAborted,
	} {
		if errors.Is(err, shortage) {
			return true
		}
	}
	return false
}

// Numbers of Windows that package syscall does not have. Other platforms do not use them.
const (
	errWindowsFiles   = syscall.Errno(10024) // WSAEMFILE
	errWindowsBuffers = syscall.Errno(10055) // WSAENOBUFS
	errWindowsAborted = syscall.Errno(10053) // WSAECONNABORTED
)

// wait waits for d, or until the plugin leaves.
func (s *Server) wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.leaving.Done():
	}
}
