package core

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"syscall"

	"github.com/jackfield-go/jackfield/tlsutil"
)

// TLS is the pair of configurations for a connection under TLS, one for each
// role: either side of a broker may dial the other.
type TLS struct {
	// Client is for dialing.
	Client *tls.Config
	// Server is for serving: [TLS.Serving] returns it, or the reason for its
	// absence. A plugin always has it; a host may do without if it serves
	// nothing.
	Server *tls.Config

	// Refused is called with the reason for each failed handshake on a served
	// connection. Transports call it through Refuse. Nil: no report.
	Refused func(err error)

	lack error // the reason for a missing Server
}

// ErrCannotServe is the error of a side that cannot serve under its Config.TLS;
// the wrapping error names the missing part.
var ErrCannotServe = errors.New("the configured TLS is not enough to serve")

var (
	errNoServer      = WithHint(fmt.Errorf("%w: it has no Server configuration", ErrCannotServe), "set the Server configuration of Config.TLS")
	errNoCertificate = WithHint(fmt.Errorf("%w: it is without a certificate to serve with", ErrCannotServe),
		"add a certificate with its key to Config.TLS (of tlsutil.Files, Certificate and Key), "+
			"or a Server configuration with GetCertificate (GetClientCertificate is for dialing only)")
	errNoAuthority = WithHint(fmt.Errorf("%w: no authority is named for clients", ErrCannotServe),
		"Config.TLS has a Client configuration alone: give it a Server configuration too, or RootCAs")
)

// Serving returns Server for a transport about to serve. Its error wraps
// [ErrCannotServe] if Server is missing or unusable. On nil it returns nil:
// there is no TLS.
func (t *TLS) Serving() (*tls.Config, error) {
	switch {
	case t == nil:
		return nil, nil
	case t.Server == nil && t.lack != nil:
		return nil, t.lack
	case t.Server == nil:
		return nil, errNoServer
	case !hasCertificate(t.Server):
		return nil, errNoCertificate
	}
	return t.Server, nil
}

func hasCertificate(server *tls.Config) bool {
	return len(server.Certificates) > 0 || server.GetCertificate != nil || server.GetConfigForClient != nil
}

// Connect secures a connection dialled by this side, or a stream within a connection. It does the
// handshake until ctx ends. After an error, which is the handshake's own or ctx's cause, conn is
// closed. On nil it returns conn unchanged. If the peer refuses this side's certificate, the first
// failing Read or Write returns that refusal.
func (t *TLS) Connect(ctx context.Context, conn net.Conn) (net.Conn, error) {
	if t == nil {
		return conn, nil
	}
	secured, err := secure(ctx, tls.Client(conn, t.Client))
	if err != nil {
		return nil, err
	}
	return &dialled{Conn: secured}, nil
}

// dialled keeps the reason for a peer's refusal. In TLS 1.3 the handshake ends here before the peer
// has verified this side's certificate. A refusing peer sends an alert and closes, and a Write may
// fail before a Read sees the alert.
type dialled struct {
	*tls.Conn

	answered atomic.Bool // a Read has returned data: the peer has not refused
}

func (c *dialled) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && !c.answered.Load() {
		c.answered.Store(true)
	}
	return n, err
}

// Write returns the peer's alert, if there is one, in place of a broken pipe.
func (c *dialled) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err == nil || c.answered.Load() || errors.Is(err, net.ErrClosed) || !isHangUp(err) {
		return n, err
	}
	_, reason := c.Conn.Read(make([]byte, 1)) // a later Read returns it again
	var alert *net.OpError
	if errors.As(reason, &alert) && alert.Op == "remote error" {
		return n, reason
	}
	return n, err
}

// Accept is Connect for a connection served by this side. It tells Refused of a
// failed handshake.
func (t *TLS) Accept(ctx context.Context, conn net.Conn) (net.Conn, error) {
	config, err := t.Serving()
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	if config == nil {
		return conn, nil
	}
	secured, err := secure(ctx, tls.Server(conn, config))
	if err != nil {
		t.Refuse(err)
		return nil, err
	}
	return secured, nil
}

func secure(ctx context.Context, conn *tls.Conn) (*tls.Conn, error) {
	err := conn.HandshakeContext(ctx)
	if err == nil {
		return conn, nil
	}
	_ = conn.Close()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return nil, fmt.Errorf("TLS handshake: %w", err)
}

// Refuse is called by a transport after a failed handshake on a served
// connection. It tells Refused, unless the other side has merely hung up: a
// peer may check that a plugin is there, or borrow a service and never call it.
// It ignores handshakes canceled by this side. Refuse may be called on nil.
func (t *TLS) Refuse(err error) {
	if t != nil && t.Refused != nil && err != nil && !isHangUp(err) {
		t.Refused(err)
	}
}

// The numbers of Windows for a connection closed by the other side, WSAECONNRESET and
// WSAECONNABORTED. Other platforms do not use these numbers.
const (
	errWindowsReset   = syscall.Errno(10054)
	errWindowsAborted = syscall.Errno(10053)
)

// isHangUp reports whether a connection was closed, by either side.
func isHangUp(err error) bool {
	for _, end := range []error{
		io.EOF, net.ErrClosed, context.Canceled,
		syscall.EPIPE, syscall.ECONNRESET, errWindowsReset, errWindowsAborted,
	} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// TLSProvider returns the application's own TLS configurations, for a host or a plugin. It is
// called at each launch. Nil without an error means no TLS of the application's own.
//
// One of the two configurations may be missing. It is then derived from the other, as go-plugin has
// one for both roles: the authorities for servers become the authorities for clients, or the other
// way round. A derived Server requires a certificate signed by one of the Client's RootCAs, unless
// the Client has a ClientAuth already. The verifying functions are kept, but are not enough by
// themselves, as they were written for servers. A Client without RootCAs or without a certificate
// derives no Server. Then a host fails when it is to serve something, and a plugin at its start,
// with an [ErrCannotServe]. To serve clients without a certificate, return a Server that requests
// none.
//
// A client without a ServerName asks for "localhost" (protocol §3). The returned configurations are
// not changed.
type TLSProvider func(ctx context.Context) (*TLS, error)

// TLSFiles is a [TLSProvider] that reads PEM files, at each launch again.
func TLSFiles(files tlsutil.Files) TLSProvider {
	return func(context.Context) (*TLS, error) {
		client, err := files.Client()
		if err != nil {
			return nil, err
		}
		if files.Certificate == "" { // a side that only dials
			return &TLS{Client: client}, nil
		}
		server, err := files.Server()
		if err != nil {
			return nil, err
		}
		return &TLS{Client: client, Server: server}, nil
	}
}

// Provide calls the provider and completes its result: the result has a Client,
// a Server if possible, and both are copies. A nil provider provides nil.
func (p TLSProvider) Provide(ctx context.Context) (*TLS, error) {
	if p == nil {
		return nil, nil
	}
	provided, err := p(ctx)
	if err != nil || provided == nil {
		return nil, err
	}
	complete := &TLS{Client: provided.Client.Clone(), Server: provided.Server.Clone(), Refused: provided.Refused}
	switch {
	case complete.Client == nil && complete.Server == nil:
		return nil, errors.New("the TLS provider returned neither a Client nor a Server configuration")
	case complete.Client == nil:
		complete.Client = clientOf(complete.Server)
	case complete.Server == nil:
		complete.Server, complete.lack = serverOf(complete.Client)
	}
	if complete.Client.ServerName == "" {
		complete.Client.ServerName = tlsutil.ServerName
	}
	return complete, nil
}

// serverOf derives a configuration for clients from a configuration for
// servers. The verifying functions of client are not enough: a client of a
// server chooses the name that they may ask for.
func serverOf(client *tls.Config) (*tls.Config, error) {
	if !hasCertificate(client) {
		return nil, errNoCertificate
	}
	server := client.Clone()
	if server.ClientCAs == nil {
		server.ClientCAs = client.RootCAs
	}
	if server.ClientAuth == tls.NoClientCert { // otherwise it is meant for both roles
		if server.ClientCAs == nil {
			return nil, errNoAuthority
		}
		server.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return server, nil
}

// clientOf derives a configuration for servers from a configuration for
// clients. It accepts only servers with the name.
func clientOf(server *tls.Config) *tls.Config {
	client := server.Clone()
	if client.RootCAs == nil {
		client.RootCAs = server.ClientCAs
	}
	return client
}
