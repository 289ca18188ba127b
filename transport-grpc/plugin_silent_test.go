package transportgrpc_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/plugintest"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
	"github.com/jackfield-go/jackfield/yamux"
)

// pipes is a listener of connections without files, so that a
// synthetic clock goes on while they wait.
type pipes struct {
	ctx   context.Context
	end   context.CancelFunc
	conns chan net.Conn
}

func newPipes(t *testing.T) *pipes {
	// Not the test's context: it ends before the server is closed.
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
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

// timeless is TLS with certificates valid at any time of a bubble's clock. It
// is called outside.
func timeless(m mode) *core.TLS {
	if !m.secure {
		return nil
	}
	made := security()
	client, server := made.Client.Clone(), made.Server.Clone()
	now := func() time.Time { return client.Certificates[0].Leaf.NotBefore.Add(time.Minute) }
	client.Time, server.Time = now, now
	return &core.TLS{Client: client, Server: server}
}

// serveTimed serves multiplexed hosts on the bubble's clock.
func serveTimed(t *testing.T, security *core.TLS, limit time.Duration) *pipes {
	t.Helper()
	stdout, endStdout := io.Pipe()
	stderr, endStderr := io.Pipe()
	transport := transportgrpc.New()
	server, err := plugintest.NewServer(t.Context(), transport, core.PluginLink{
		ConnectionTimeout: limit,
		Logger:            slog.New(slog.DiscardHandler),
		LookupEnv:         func(key string) (string, bool) { return "true", key == "PLUGIN_MULTIPLEX_GRPC" },
		TLS:               security,
		Stdout:            stdout, Stderr: stderr,
	}, time.Second, func(context.Context) {
		_ = endStdout.Close()
		_ = endStderr.Close()
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

var multiplexedModes = []mode{{multiplexed: true}, {multiplexed: true, secure: true}}

func TestMultiplexedConnectionWithoutAHostIsClosed(t *testing.T) {
	inEach(t, multiplexedModes, func(t *testing.T, m mode) {
		security := timeless(m)
		for name, test := range map[string]struct {
			says  string // in a stream; empty: no stream
			limit time.Duration
		}{
			"nothing":          {"", core.DefaultConnectionTimeout},
			"nothing, as told": {"", time.Second},
			"what is no TLS":   {"PRI * HTTP/2.0", core.DefaultConnectionTimeout},
			"half of a record": {"\x16\x03\x01\x01\x00", core.DefaultConnectionTimeout},
		} {
			if test.says != "" && !m.secure {
				continue // there only a stream identifies a host
			}
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					conn, _ := serveTimed(t, security, test.limit).dial(t.Context())
					begun := time.Now()
					if test.says == "" {
						defer conn.Close()
						_, _ = io.Copy(io.Discard, conn)
					} else {
						mux := muxOver(t, conn)
						defer mux.Close()
						stream, err := mux.Open(t.Context())
						if err != nil {
							t.Fatal(err)
						}
						if _, err := io.WriteString(stream, test.says); err != nil {
							t.Fatal(err)
						}
						<-mux.Done()
					}
					if got := time.Since(begun); got != test.limit {
						t.Errorf("it was kept for %v", got)
					}
				})
			})
		}
	})
}

func muxOver(t *testing.T, conn net.Conn) *yamux.Session {
	t.Helper()
	mux, err := yamux.Client(conn, yamux.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return mux
}

func TestMultiplexedHostMayBeSilent(t *testing.T) {
	inEach(t, multiplexedModes, func(t *testing.T, m mode) {
		security := timeless(m)
		synctest.Test(t, func(t *testing.T) {
			session, err := transportgrpc.New(handles, transportgrpc.WithMultiplexing()).Dial(t.Context(), core.HostLink{
				ConnectionTimeout: core.DefaultConnectionTimeout,
				Plugin:            "plugin",
				Logger:            slog.New(slog.DiscardHandler),
				Fields:            []string{"true"},
				TLS:               security,
				Stdout:            io.Discard, Stderr: io.Discard,
				Dial:    serveTimed(t, security, core.DefaultConnectionTimeout).dial,
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
	})
}
