package transportgrpc

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/jackfield-go/jackfield/core"
)

// forHTTP2 returns security for gRPC's connections: peers insist on the name of HTTP/2
// in the handshake. Nil stays nil.
func forHTTP2(security *core.TLS) *core.TLS {
	if security == nil {
		return nil
	}
	named := *security
	named.Client = withHTTP2(security.Client)
	named.Server = withHTTP2(security.Server)
	return &named
}

// named is forHTTP2 for a listener with a protocol of the caller's. It may be gRPC, and
// gRPC's clients insist on the name. Names of the application's own stay.
func named(security *core.TLS) *core.TLS {
	if security == nil || security.Server == nil || len(security.Server.NextProtos) > 0 {
		return security
	}
	return forHTTP2(security)
}

func withHTTP2(config *tls.Config) *tls.Config {
	if config == nil || slices.Contains(config.NextProtos, "h2") {
		return config
	}
	config = config.Clone()
	config.NextProtos = append(slices.Clone(config.NextProtos), "h2")
	return config
}

// transportCredentials are the credentials of gRPC's clients and servers.
func transportCredentials(security *core.TLS) credentials.TransportCredentials {
	if security == nil {
		return insecure.NewCredentials()
	}
	return handshaken{}
}

// handshaken tells gRPC the TLS state. Core has done the handshake before gRPC gets a
// connection, so that errors keep their types.
type handshaken struct{}

var (
	errNotDialled   = errors.New("the connection is not from this transport's dialer: leave grpc.WithContextDialer out of the options")
	errNotHTTP2     = errors.New("the other side does not speak HTTP/2 under TLS: its ALPN has no h2")
	errNotConnected = errors.New("the connection is not under TLS")
)

// carrier is gRPC's connection, around the connection secured by core.
type carrier interface {
	tlsState() (state tls.ConnectionState, secure bool)
}

// ClientHandshake takes a connection of the dialer.
func (handshaken) ClientHandshake(_ context.Context, _ string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	if _, ok := conn.(carrier); !ok {
		return nil, nil, errNotDialled
	}
	info, err := authInfo(tlsStateOf(conn))
	return conn, info, err
}

// ServerHandshake takes a connection of a listener of this package.
func (handshaken) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	info, err := authInfo(tlsStateOf(conn))
	return conn, info, err
}

// tlsStateOf returns the state of core's handshake; false without TLS.
func tlsStateOf(conn net.Conn) (tls.ConnectionState, bool) {
	switch c := conn.(type) {
	case carrier:
		return c.tlsState()
	case interface{ ConnectionState() tls.ConnectionState }:
		return c.ConnectionState(), true
	default:
		return tls.ConnectionState{}, false
	}
}

func authInfo(state tls.ConnectionState, secure bool) (credentials.AuthInfo, error) {
	if !secure {
		return nil, errNotConnected
	}
	if state.NegotiatedProtocol != "h2" {
		return nil, errNotHTTP2
	}
	return credentials.TLSInfo{
		State:          state,
		CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity},
	}, nil
}

func (handshaken) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls"}
}

func (s handshaken) Clone() credentials.TransportCredentials { return s }

func (handshaken) OverrideServerName(string) error { return nil }
