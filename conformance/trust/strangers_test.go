//go:build unix

package trust

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/probe"
	ourgrpc "github.com/jackfield-go/jackfield/conformance/grpc/ourprobe"
	ournetrpc "github.com/jackfield-go/jackfield/conformance/netrpc/ourprobe"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/tlsutil"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
	"github.com/jackfield-go/jackfield/yamux"
)

// setting describes the launch of a plugin.
type setting struct {
	role        string
	grpc        bool
	multiplexed bool
}

// The list does not contain multiplexedByGoPlugin: it accepts one connection in its
// lifetime, the host's, so no stranger gets far enough for a refusal.
func settings() map[string]setting {
	return map[string]setting{
		"net/rpc":              {role: "our net/rpc"},
		"gRPC":                 {role: "our gRPC", grpc: true},
		"multiplexed":          {role: "our gRPC", grpc: true, multiplexed: true},
		"net/rpc, go-plugin's": {role: "their net/rpc"},
		"gRPC, go-plugin's":    {role: "their gRPC", grpc: true},
	}
}

// subject is a launched plugin.
type subject struct {
	setting

	client *host.Client
	broker *transportgrpc.Broker // only for gRPC
	probe  *probe.Client         // only for gRPC
	base   string                // contains its directory
	ping   func() error
}

func (s setting) launch(t *testing.T, mode host.MTLS) *subject {
	t.Helper()
	return s.launchLogging(t, mode, nil)
}

func (s setting) launchLogging(t *testing.T, mode host.MTLS, logger *slog.Logger) *subject {
	t.Helper()
	u, cfg := s.prepare(t)
	cfg.AutoMTLS, cfg.Logger = mode, logger
	u.launch(t, cfg)
	return u
}

// prepare makes the configuration of a launch.
func (s setting) prepare(t *testing.T) (*subject, host.Config) {
	t.Helper()
	base, err := os.MkdirTemp("", "jt") //nolint:usetesting // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	u := &subject{setting: s, base: base}
	cfg := host.Config{
		Handshake: ournetrpc.Handshake(),
		Versions:  ournetrpc.Versions(oneVersion()),
		Command: host.Cmd{
			Path: os.Args[0],
			Env:  []string{roleVariable + "=" + s.role, "GORACE=atexit_sleep_ms=0", "TMPDIR=" + base},
		},
		Sockets: host.Sockets{Dirs: []string{base}},
	}
	if s.grpc {
		var options []transportgrpc.Option
		if s.multiplexed {
			options = append(options, transportgrpc.WithMultiplexing())
		}
		cfg.Handshake = ourgrpc.Handshake()
		client := func(b *transportgrpc.Broker, conn grpc.ClientConnInterface) (*transportgrpc.Broker, error) {
			u.broker = b
			u.probe = probe.NewClient(conn, ourgrpc.Adapt(b))
			return b, nil
		}
		served := core.DefineSides[ourgrpc.Suite, *transportgrpc.Broker](shared.PluginName)
		options = append(options, transportgrpc.Carry(served, nil, client))
		cfg.Versions = core.Versions{1: {transportgrpc.New(options...)}}
	}
	return u, cfg
}

// launch launches the plugin and dispenses the probe.
func (u *subject) launch(t *testing.T, cfg host.Config) {
	t.Helper()
	var err error
	u.client, err = host.Launch(within(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := u.client.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := u.client.Dispense(within(t), shared.PluginName); err != nil {
		t.Fatal(err)
	}
	u.ping = func() error { return u.client.Ping(within(t)) }
}

// sockets lists the sockets of both sides in the plugin's directory.
func (u *subject) sockets(t *testing.T) []string {
	t.Helper()
	var sockets []string
	err := filepath.WalkDir(u.base, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type()&os.ModeSocket != 0 {
			sockets = append(sockets, path)
		}
		return err
	})
	if err != nil || len(sockets) == 0 {
		t.Fatalf("no sockets: %v", err)
	}
	return sockets
}

// offer lets the host serve to the plugin, on a separate socket if the transport uses one.
func (u *subject) offer(t *testing.T) {
	t.Helper()
	if !u.grpc || u.multiplexed {
		return
	}
	before := len(u.sockets(t))
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- u.broker.Serve(ctx, u.broker.NextID(), func(grpc.ServiceRegistrar) {}) }()
	t.Cleanup(func() {
		cancel()
		<-served
	})
	for deadline := time.Now().Add(patience); len(u.sockets(t)) == before; {
		if time.Now().After(deadline) {
			t.Fatal("the host serves nothing")
		}
	}
}

// strangers returns the TLS configurations of attackers.
func strangers(t *testing.T) map[string]*tls.Config {
	t.Helper()
	own, err := tlsutil.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	self, err := tlsutil.ParseDER(own.DER())
	if err != nil {
		t.Fatal(err)
	}
	withOwn := tlsutil.Client(own, self)
	withOwn.VerifyConnection = nil // it accepts any server
	withOwn.NextProtos = []string{"h2"}
	without := withOwn.Clone()
	without.Certificates = nil
	return map[string]*tls.Config{"no TLS": nil, "no certificate": without, "a certificate of its own": withOwn}
}

func TestStrangersAreRefusedAndThePluginLivesOn(t *testing.T) {
	for name, s := range settings() {
		t.Run(name, func(t *testing.T) {
			u := s.launch(t, host.MTLSRequired)
			u.offer(t)
			for _, path := range u.sockets(t) {
				for with, config := range strangers(t) {
					if err := u.attempt(within(t), path, config); err != nil {
						t.Errorf("with %s at %s: %v", with, filepath.Base(path), err)
					}
				}
			}
			if err := u.ping(); err != nil {
				t.Errorf("the plugin: %v", err)
			}
		})
	}
}

// Silent strangers would use up the plugin's files; on TCP, strangers of every user could.
// Multiplexed gRPC still waits for them. Hosts are connected all the time and are silent
// too: ours, and go-plugin's without TLS, because it could not have TLS here.
func TestStrangersWithoutAWordAreDisconnected(t *testing.T) {
	for name, s := range map[string]setting{
		"net/rpc": {role: "our net/rpc, impatient"},
		"gRPC":    {role: "our gRPC, impatient", grpc: true},
	} {
		for _, mode := range []host.MTLS{host.MTLSOff, host.MTLSRequired} {
			t.Run(name+", AutoMTLS "+mode.String(), func(t *testing.T) {
				t.Parallel() // they mostly wait
				u := s.launch(t, mode)
				pings := map[string]func() error{"our host": u.ping}
				if mode == host.MTLSOff {
					theirs, err := u.attach(t).Client()
					if err != nil {
						t.Fatal(err)
					}
					pings["go-plugin's host"] = theirs.Ping
				}
				conn, err := new(net.Dialer).DialContext(within(t), "unix", u.sockets(t)[0])
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
					t.Fatal(err)
				}
				// A gRPC server sends its settings first.
				if _, err := io.Copy(io.Discard, conn); refused(err) != nil {
					t.Error(refused(err))
				}
				for whose, ping := range pings {
					if err := ping(); err != nil {
						t.Errorf("%s, connected for longer than the timeout: %v", whose, err)
					}
				}
			})
		}
	}
}

// The same attempt gets an answer without TLS. Otherwise the test above would prove
// nothing.
func TestAttemptWithoutTLSIsAnswered(t *testing.T) {
	for name, s := range settings() {
		t.Run(name, func(t *testing.T) {
			u := s.launch(t, host.MTLSOff)
			if err := u.attempt(within(t), u.sockets(t)[0], nil); err == nil {
				t.Error("refused even without TLS")
			}
		})
	}
}

// errAnswered reports that an attempt was not refused.
var errAnswered = errors.New("the attempt got an answer")

// attempt speaks to the socket like a host, over TLS if config is set. It returns nil after
// a refusal.
func (u *subject) attempt(ctx context.Context, path string, config *tls.Config) error {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	for errors.Is(err, syscall.ECONNREFUSED) && ctx.Err() == nil { // a socket's file exists before it listens
		conn, err = new(net.Dialer).DialContext(ctx, "unix", path)
	}
	if err != nil {
		return err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	if u.multiplexed {
		mux, err := yamux.Client(conn, yamux.Config{})
		if err != nil {
			return err
		}
		defer mux.Close()
		if conn, err = mux.Open(ctx); err != nil {
			return err
		}
	}
	if config != nil {
		secured := tls.Client(conn, config)
		if err := secured.HandshakeContext(ctx); err != nil {
			return refused(err)
		}
		conn = secured // with TLS 1.3 the client learns of a refusal later
	}
	if _, err := conn.Write(u.greeting()); err != nil {
		return refused(err)
	}
	return answered(conn)
}

// greeting returns the first bytes of a host, to provoke an answer.
func (u *subject) greeting() []byte {
	if u.grpc { // RFC 9113, section 3.4, and an empty SETTINGS frame
		return []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	}
	return []byte{0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7} // a yamux ping
}

// answered reads until the other side closes the connection. That counts as a refusal,
// unless more than a TLS alert came before.
func answered(conn net.Conn) error {
	first := make([]byte, 1)
	switch _, err := io.ReadFull(conn, first); {
	case err != nil:
		return refused(err)
	case first[0] == 0x15: // the type of an alert in TLS
		_, err = io.Copy(io.Discard, conn)
		return refused(err)
	}
	return errAnswered
}

// refused distinguishes the end of a connection from a hang.
func refused(err error) error {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, syscall.ETIMEDOUT) {
		return fmt.Errorf("neither answered nor refused: %w", err)
	}
	return nil
}
