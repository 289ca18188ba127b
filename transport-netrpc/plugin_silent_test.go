package transportnetrpc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/plugintest"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// pipes is a listener of connections without files, so that a
// synthetic clock goes on while they wait.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes {
	return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
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
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

// secured makes TLS for both ends, valid by the present clock.
func secured(t *testing.T) *core.TLS {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{"localhost"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	own, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(own)
	return &core.TLS{
		Client: &tls.Config{MinVersion: tls.VersionTLS12, ServerName: "localhost", RootCAs: pool},
		Server: &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
	}
}

// timed is a plugin's server on the synthetic clock.
type timed struct {
	transport *netrpc.Transport
	pipes     *pipes
	security  *core.TLS
	log       *log
	mu        sync.Mutex
	refused   []error
}

func serveTimed(t *testing.T, underTLS bool, limit time.Duration) *timed {
	t.Helper()
	r := &timed{transport: netrpc.New(served(newCounter)), pipes: newPipes(), log: newLog()}
	stdout, endStdout := io.Pipe()
	stderr, endStderr := io.Pipe()
	link := core.PluginLink{
		ConnectionTimeout: limit,
		Logger:            slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Stdout:            stdout, Stderr: stderr,
	}
	if underTLS {
		r.security = secured(t)
		r.security.Refused = func(err error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.refused = append(r.refused, err)
		}
		link.TLS = r.security
	}
	server, err := plugintest.NewServer(t.Context(), r.transport, link, time.Second, func(context.Context) {
		_ = endStdout.Close()
		_ = endStderr.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(r.pipes) }()
	t.Cleanup(func() {
		server.Close()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return r
}

// connect connects a host.
func (r *timed) connect(t *testing.T) core.Session {
	t.Helper()
	session, err := r.transport.Dial(t.Context(), core.HostLink{
		Plugin: "plugin",
		Logger: slog.New(slog.DiscardHandler),
		TLS:    r.security,
		Stdout: io.Discard, Stderr: io.Discard,
		Dial:    r.pipes.dial,
		Exited:  make(chan struct{}),
		Explain: func(_ context.Context, err error) error { return err },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return session
}

// kept connects, sends something, and returns the time until the plugin closes.
func (r *timed) kept(t *testing.T, text string) time.Duration {
	t.Helper()
	conn, err := r.pipes.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	begun := time.Now()
	go func() { _, _ = io.WriteString(conn, text) }()
	_, _ = io.Copy(io.Discard, conn)
	return time.Since(begun)
}

func TestConnectionWithoutAHostIsClosed(t *testing.T) {
	for name, test := range map[string]struct {
		tls   bool
		says  string
		limit time.Duration
	}{
		"nothing":                      {false, "", core.DefaultConnectionTimeout},
		"nothing, under TLS":           {true, "", core.DefaultConnectionTimeout},
		"as told":                      {false, "", time.Second},
		"as told, under TLS":           {true, "", time.Second},
		"one stream of three":          {false, "\x00\x01\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00", core.DefaultConnectionTimeout},
		"the beginning of a handshake": {true, "\x16\x03\x01\x01\x00", core.DefaultConnectionTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := serveTimed(t, test.tls, test.limit)
				if got := r.kept(t, test.says); got != test.limit {
					t.Errorf("it was kept for %v", got)
				}
				r.log.wait(t, "the peer did not identify itself as a host in time")
				if test.tls {
					r.mu.Lock()
					defer r.mu.Unlock()
					if len(r.refused) != 1 || !strings.Contains(r.refused[0].Error(), "in time") {
						t.Errorf("told of %v", r.refused)
					}
				}
			})
		})
	}
}

func TestHostThatIsConnectedMayBeSilent(t *testing.T) {
	for name, underTLS := range map[string]bool{"plain": false, "under TLS": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				session := serveTimed(t, underTLS, core.DefaultConnectionTimeout).connect(t)
				<-time.After(100 * core.DefaultConnectionTimeout) // on the bubble's clock
				if err := session.Ping(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A plugin's refusal arrives behind the host's handshake, with the first read.
func TestPluginsRefusalOfTheHostKeepsItsErrorType(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveTimed(t, true, core.DefaultConnectionTimeout)
		r.security.Server.ClientAuth = tls.RequireAnyClientCert // and the host has none
		_, err := r.transport.Dial(t.Context(), core.HostLink{
			Plugin: "plugin",
			Logger: slog.New(slog.DiscardHandler),
			TLS:    &core.TLS{Client: r.security.Client},
			Stdout: io.Discard, Stderr: io.Discard,
			Dial:    r.pipes.dial,
			Exited:  make(chan struct{}),
			Explain: func(_ context.Context, err error) error { return err },
		})
		var failure *net.OpError
		if !errors.As(err, &failure) || failure.Op != "remote error" {
			t.Errorf("got %v, want the alert", err)
		}
	})
}
