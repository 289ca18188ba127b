package transportgrpc

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/jackfield-go/jackfield/core"
)

// handshakingListener returns connections from Accept after their TLS handshakes. A slow
// handshake does not delay other connections.
type handshakingListener struct {
	net.Listener

	security *core.TLS
	timeout  time.Duration // of a handshake
	logger   *slog.Logger
	ready    chan net.Conn
	ctx      context.Context
	cancel   context.CancelCauseFunc // with the reason of the end
	running  sync.WaitGroup
}

// secureListener returns a listener of connections after core's handshake, with a
// timeout for each. It logs a shortage of files for connections.
func secureListener(listener net.Listener, security *core.TLS, timeout time.Duration, logger *slog.Logger) net.Listener {
	l := &handshakingListener{Listener: listener, security: security, timeout: timeout, logger: logger, ready: make(chan net.Conn)}
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	l.running.Go(l.accept)
	return l
}

// accept accepts until the end. It pauses while the process has no file left.
func (l *handshakingListener) accept() {
	pause := time.Duration(0)
	for {
		conn, err := l.Listener.Accept()
		switch {
		case err == nil:
			pause = 0
			l.running.Go(func() { l.arrived(conn) })
		case isShortage(err) && l.ctx.Err() == nil:
			if pause == 0 {
				l.logger.Warn("a brokered connection waits until the process has a file left for it: "+
					"raise its limit of open files (ulimit -n), or close some", "error", err)
			}
			pause = min(max(2*pause, minAcceptPause), maxAcceptPause)
			l.wait(pause)
		default:
			l.cancel(err)
			return
		}
	}
}

// Pauses of accepting while the process has no file left for a connection.
const (
	minAcceptPause = 5 * time.Millisecond
	maxAcceptPause = time.Second
)

func isShortage(err error) bool {
	for _, shortage := range []error{syscall.EMFILE, syscall.ENFILE, errWindowsFiles, errWindowsBuffers} {
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
)

func (l *handshakingListener) wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.ctx.Done():
	}
}

func (l *handshakingListener) arrived(conn net.Conn) {
	ctx, cancel := context.WithTimeout(l.ctx, l.timeout)
	defer cancel()
	conn, err := l.security.Accept(ctx, conn) // it reports strangers
	if err != nil {
		return
	}
	select {
	case l.ready <- conn:
	case <-l.ctx.Done():
		_ = conn.Close()
	}
}

func (l *handshakingListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.ready:
		return conn, nil
	case <-l.ctx.Done():
		return nil, context.Cause(l.ctx)
	}
}

// Close ends the listener, and handshakes in progress.
func (l *handshakingListener) Close() error {
	l.cancel(net.ErrClosed)
	err := l.Listener.Close()
	l.running.Wait()
	return err
}

// intake is a listener of connections accepted elsewhere.
type intake struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newIntake() *intake {
	return &intake{conns: make(chan net.Conn), closed: make(chan struct{})}
}

// serve hands conn to the server, and returns when conn has been closed.
func (l *intake) serve(conn net.Conn) {
	c := newConnection(conn)
	select {
	case l.conns <- c:
		<-c.lost
	case <-l.closed:
		_ = c.Close()
	}
}

func (l *intake) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *intake) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr is that of nothing: the connections have addresses.
func (l *intake) Addr() net.Addr { return new(net.UnixAddr) }
