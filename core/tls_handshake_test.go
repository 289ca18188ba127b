package core_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"path/filepath"
	"slices"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/tlsutil"
)

// connected returns both ends of a connection over a unix socket.
func connected(t *testing.T) (near, far net.Conn) {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if near, err = net.Dial("unix", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	return near, far
}

// hello returns the first message of a TLS client.
func hello(t *testing.T) []byte {
	t.Helper()
	near, far := net.Pipe()
	defer far.Close()
	go func() {
		defer near.Close()
		_ = tls.Client(near, &tls.Config{ServerName: "localhost", MinVersion: tls.VersionTLS13}).Handshake()
	}()
	header := make([]byte, 5)
	if _, err := io.ReadFull(far, header); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, int(header[3])<<8|int(header[4]))
	if _, err := io.ReadFull(far, body); err != nil {
		t.Fatal(err)
	}
	return slices.Concat(header, body)
}

func TestRefusedIsNotToldOfAHangUp(t *testing.T) {
	_, plugin := pinned(t)
	for name, test := range map[string]struct {
		do   func(t *testing.T, near, far net.Conn)
		told bool
	}{
		"without a word": {func(_ *testing.T, near, _ net.Conn) { near.Close() }, false},
		"after its first message, so that the answer cannot be written": {func(t *testing.T, near, _ net.Conn) {
			if _, err := near.Write(hello(t)); err != nil {
				t.Error(err)
			}
			near.Close()
		}, false},
		"with unread data, so that reading is reset": {func(t *testing.T, near, far net.Conn) {
			if _, err := far.Write([]byte("unread")); err != nil {
				t.Error(err)
			}
			near.Close()
		}, false},
		"after nonsense": {func(t *testing.T, near, _ net.Conn) {
			if _, err := near.Write([]byte("GET / HTTP/1.1\r\n\r\n")); err != nil {
				t.Error(err)
			}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var told error
			security := &core.TLS{Server: plugin.Server, Refused: func(err error) { told = err }}
			near, far := connected(t)
			test.do(t, near, far)
			err := tls.Server(far, security.Server).Handshake()
			if err == nil {
				t.Fatal("the handshake succeeded")
			}
			security.Refuse(err)
			if (told != nil) != test.told {
				t.Errorf("Refused was told %v of the error %v", told, err)
			}
		})
	}
}

func TestConnectAndAcceptSecureAConnection(t *testing.T) {
	host, plugin := pinned(t)
	near, far := connected(t)
	accepted := make(chan error, 1)
	go func() {
		conn, err := plugin.Accept(t.Context(), far)
		if err == nil {
			_, err = conn.Write([]byte("hello"))
		}
		accepted <- err
	}()
	conn, err := host.Connect(t.Context(), near)
	if err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 5)
	if _, err := io.ReadFull(conn, text); err != nil || string(text) != "hello" {
		t.Errorf("read %q, %v", text, err)
	}
	if err := <-accepted; err != nil {
		t.Error(err)
	}
	var none *core.TLS
	for name, secure := range map[string]func(context.Context, net.Conn) (net.Conn, error){
		"Connect": none.Connect, "Accept": none.Accept,
	} {
		if same, err := secure(t.Context(), near); err != nil || same != near {
			t.Errorf("%s without TLS returned %v, %v", name, same, err)
		}
	}
}

// The peer verifies this side's certificate after the handshake has ended here.
func TestConnectReturnsThePeersRefusalAtTheFirstWrite(t *testing.T) {
	host, plugin := pinned(t)
	stranger, err := tlsutil.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	host.Client.Certificates = tlsutil.Client(stranger, nil).Certificates
	near, far := connected(t)
	refused := make(chan error, 1)
	go func() {
		_, err := plugin.Accept(t.Context(), far)
		refused <- err
	}()
	conn, err := host.Connect(t.Context(), near)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-refused; err == nil {
		t.Fatal("the plugin took the certificate of a stranger")
	}
	for _, op := range []struct {
		name string
		do   func([]byte) (int, error)
	}{{"Write", conn.Write}, {"Read", conn.Read}} {
		_, err := op.do([]byte("hello"))
		var alert *net.OpError
		if !errors.As(err, &alert) || alert.Op != "remote error" {
			t.Errorf("%s: got %v, want the plugin's alert", op.name, err)
		}
	}
}

func TestHandshakeEndsWithItsContext(t *testing.T) {
	host, plugin := pinned(t)
	plugin.Refused = func(err error) { t.Errorf("Refused was told of %v", err) }
	for name, secure := range map[string]func(context.Context, net.Conn) (net.Conn, error){
		"Connect": host.Connect, "Accept": plugin.Accept,
	} {
		ctx, cancel := context.WithCancel(t.Context())
		near, far := connected(t)
		cancel()
		if _, err := secure(ctx, near); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want the context's error", name, err)
		}
		if _, err := io.Copy(io.Discard, far); err != nil {
			t.Errorf("%s: the connection was not closed: %v", name, err)
		}
	}
}

// pinned returns the TLS of a host and a plugin that know each other.
func pinned(t *testing.T) (host, plugin *core.TLS) {
	t.Helper()
	identity, err := tlsutil.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := tlsutil.ParseDER(identity.DER())
	if err != nil {
		t.Fatal(err)
	}
	both := core.TLS{Client: tlsutil.Client(identity, certificate), Server: tlsutil.Server(identity, certificate)}
	other := both
	return &both, &other
}
