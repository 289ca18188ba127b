package core_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/tlsutil"
)

// proof is a certificate, and the pool with which it is believed.
func proof(t *testing.T) ([]tls.Certificate, *x509.CertPool) {
	t.Helper()
	identity, err := tlsutil.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := tlsutil.ParseDER(identity.DER())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tlsutil.Client(identity, parsed).Certificates, pool
}

func provide(t *testing.T, provided core.TLS) *core.TLS {
	t.Helper()
	provider := core.TLSProvider(func(context.Context) (*core.TLS, error) { return &provided, nil })
	got, err := provider.Provide(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestProvideCompletesTheConfigurations(t *testing.T) {
	own, roots := proof(t)
	_, others := proof(t)
	named := &tls.Config{ServerName: "plugin.test", MinVersion: tls.VersionTLS13, Certificates: own, RootCAs: roots}
	bare := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: own, ClientCAs: others}
	both := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: own, RootCAs: roots, ClientAuth: tls.VerifyClientCertIfGiven}
	for name, test := range map[string]struct {
		provided       core.TLS
		client, server uint16 // by which one they are known
		serverName     string
		auth           tls.ClientAuthType
		servers        *x509.CertPool // by whom they are believed
		clients        *x509.CertPool
	}{
		"both":              {core.TLS{Client: named, Server: bare}, tls.VersionTLS13, tls.VersionTLS12, "plugin.test", tls.NoClientCert, roots, others},
		"only client":       {core.TLS{Client: named}, tls.VersionTLS13, tls.VersionTLS13, "plugin.test", tls.RequireAndVerifyClientCert, roots, roots},
		"one for both":      {core.TLS{Client: both}, tls.VersionTLS13, tls.VersionTLS13, "localhost", tls.VerifyClientCertIfGiven, roots, roots},
		"only server":       {core.TLS{Server: bare}, tls.VersionTLS12, tls.VersionTLS12, "localhost", tls.NoClientCert, others, others},
		"a server for both": {core.TLS{Server: both}, tls.VersionTLS13, tls.VersionTLS13, "localhost", tls.VerifyClientCertIfGiven, roots, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := provide(t, test.provided)
			if got.Client.MinVersion != test.client || got.Server.MinVersion != test.server || got.Client.ServerName != test.serverName {
				t.Errorf("got a client of %x for %s, a server of %x", got.Client.MinVersion, got.Client.ServerName, got.Server.MinVersion)
			}
			if got.Server.ClientAuth != test.auth || got.Client.RootCAs != test.servers || got.Server.ClientCAs != test.clients {
				t.Errorf("clients are taken by %v; the authorities of servers: %t, of clients: %t", got.Server.ClientAuth,
					got.Client.RootCAs == test.servers, got.Server.ClientCAs == test.clients)
			}
			if server, err := got.Serving(); server != got.Server || err != nil {
				t.Errorf("Serving: %v", err)
			}
		})
	}
	if bare.ServerName != "" || bare.RootCAs != nil || named.ClientAuth != tls.NoClientCert || named.ClientCAs != nil {
		t.Error("what was provided has been changed")
	}
}

// A Client alone makes no Server that would talk to anybody.
func TestProvideDerivesNoServerFromAnInsufficientClient(t *testing.T) {
	own, roots := proof(t)
	anybody := func(tls.ConnectionState) error { return nil }
	for name, test := range map[string]struct {
		client *tls.Config
		words  string
	}{
		"no certificate": {&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, "without a certificate"},
		"no authority":   {&tls.Config{MinVersion: tls.VersionTLS12, Certificates: own}, "no authority is named"},
		"a function instead of an authority": {&tls.Config{
			MinVersion: tls.VersionTLS12, Certificates: own,
			InsecureSkipVerify: true, VerifyConnection: anybody,
		}, "no authority is named"},
	} {
		t.Run(name, func(t *testing.T) {
			got := provide(t, core.TLS{Client: test.client})
			server, err := got.Serving()
			if got.Server != nil || server != nil || !errors.Is(err, core.ErrCannotServe) || !strings.Contains(err.Error(), test.words) {
				t.Errorf("got a server %t, %v", got.Server != nil, err)
			}
		})
	}
	for name, incomplete := range map[string]*core.TLS{
		"no server at all":             {Client: new(tls.Config)},
		"a server without certificate": {Server: new(tls.Config)},
	} {
		if _, err := incomplete.Serving(); !errors.Is(err, core.ErrCannotServe) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if server, err := (*core.TLS)(nil).Serving(); server != nil || err != nil {
		t.Errorf("without TLS: %v, %v", server, err)
	}
}

// A client that proves nothing would be answered otherwise.
func TestProvidedServerTakesOnlyClientsOfTheAuthority(t *testing.T) {
	own, roots := proof(t)
	strange, _ := proof(t)
	for _, skip := range []bool{false, true} {
		config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: own, RootCAs: roots, InsecureSkipVerify: skip}
		served := provide(t, core.TLS{Client: config})
		for name, test := range map[string]struct {
			with []tls.Certificate
			want bool
		}{
			"no certificate":         {nil, false},
			"another's certificate":  {strange, false},
			"that of the other side": {own, true},
		} {
			client := served.Client.Clone()
			client.Certificates = test.with
			if err := shake(t, client, served.Server); (err == nil) != test.want {
				t.Errorf("with %s, InsecureSkipVerify %t: %v", name, skip, err)
			}
		}
	}
}

// shake returns the server's error.
func shake(t *testing.T, client, server *tls.Config) error {
	t.Helper()
	here, there := net.Pipe()
	defer here.Close()
	go func() {
		conn := tls.Client(there, client)
		_ = conn.Handshake()
		_, _ = io.Copy(io.Discard, conn)
		_ = there.Close()
	}()
	return tls.Server(here, server).HandshakeContext(t.Context())
}

func TestRefusedIsToldTheReason(t *testing.T) {
	var told []error
	secured := &core.TLS{Refused: func(err error) { told = append(told, err) }}
	reason := errors.New("somebody else")
	for _, err := range []error{nil, io.EOF, net.ErrClosed, reason} {
		secured.Refuse(err)
		new(core.TLS).Refuse(err)
		(*core.TLS)(nil).Refuse(err)
	}
	if len(told) != 1 || !errors.Is(told[0], reason) {
		t.Errorf("told %v", told)
	}
}

func TestProvideNothing(t *testing.T) {
	var none core.TLSProvider
	if got, err := none.Provide(t.Context()); got != nil || err != nil {
		t.Errorf("without one: %v, %v", got, err)
	}
	none = func(context.Context) (*core.TLS, error) { return nil, nil }
	if got, err := none.Provide(t.Context()); got != nil || err != nil {
		t.Errorf("of nil: %v, %v", got, err)
	}
	empty := core.TLSProvider(func(context.Context) (*core.TLS, error) { return new(core.TLS), nil })
	if got, err := empty.Provide(t.Context()); got != nil || err == nil {
		t.Errorf("of neither: %v, %v", got, err)
	}
	var missing *tlsutil.FilesError
	if _, err := core.TLSFiles(tlsutil.Files{CA: "no such file"}).Provide(t.Context()); !errors.As(err, &missing) {
		t.Errorf("got %v", err)
	}
}
