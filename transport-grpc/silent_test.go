package transportgrpc_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/core"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// pipes is a listener whose connections have no file behind them, so that a
// synthetic clock goes on while they wait.
type pipes struct {
	ctx   context.Context
	end   context.CancelFunc
	conns chan net.Conn
}

func newPipes(t *testing.T) *pipes {
	ctx, cancel := context.WithCancel(t.Context())
	return &pipes{ctx, cancel, make(chan net.Conn)}
}

func (p *pipes) dial(context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	p.conns <- far
	return near, nil
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.ctx.Done():
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.end()
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

// serveTimed serves on the synthetic clock.
func serveTimed(t *testing.T) *pipes {
	t.Helper()
	stdout, endStdout := io.Pipe()
	stderr, endStderr := io.Pipe()
	transport := transportgrpc.New(transportgrpc.PluginSet{"it": transportgrpc.PluginFuncs{
		NewServer: func(*transportgrpc.Broker, grpc.ServiceRegistrar) error { return nil },
	}})
	server, err := transport.Listen(t.Context(), core.PluginLink{
		Logger:    slog.New(slog.DiscardHandler),
		LookupEnv: func(key string) (string, bool) { return "true", key == "PLUGIN_MULTIPLEX_GRPC" },
		Stdout:    stdout, Stderr: stderr,
		ShutdownTimeout: time.Second,
		Quit: func(context.Context) {
			_ = endStdout.Close()
			_ = endStderr.Close()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	listener := newPipes(t)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Close()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return listener
}

func TestAMultiplexedConnectionWithoutAStreamIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, _ := serveTimed(t).dial(t.Context())
		defer conn.Close()
		begun := time.Now()
		_, _ = io.Copy(io.Discard, conn)
		if got := time.Since(begun); got != 2*time.Minute {
			t.Errorf("it was kept for %v", got)
		}
	})
}

func TestAMultiplexedHostMayBeSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		session, err := transportgrpc.New(hostSet, transportgrpc.WithMultiplexing()).Dial(t.Context(), core.HostLink{
			Plugin: "plugin",
			Logger: slog.New(slog.DiscardHandler),
			Fields: []string{"true"},
			Stdout: io.Discard, Stderr: io.Discard,
			Dial:    serveTimed(t).dial,
			Exited:  make(chan struct{}),
			Explain: func(_ context.Context, err error) error { return err },
		})
		if err != nil {
			t.Fatal(err)
		}
		defer session.Close()
		<-time.After(time.Hour) // on the bubble's clock
		if err := session.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
