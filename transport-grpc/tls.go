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

// forHTTP2 returns security for connections on which gRPC speaks: its peers insist
// on the name of HTTP/2 in the handshake. Nil stays nil.
func forHTTP2(security *core.TLS) *core.TLS {
	if security == nil {
		return nil
	}
	named := *security
	named.Client = withHTTP2(security.Client)
	named.Server = withHTTP2(security.Server)
	return &named
}

func withHTTP2(config *tls.Config) *tls.Config {
	if config == nil || slices.Contains(config.NextProtos, "h2") {
		return config
	}
	config = config.Clone()
	config.NextProtos = append(slices.Clone(config.NextProtos), "h2")
	return config
}

// transportCredentials are those of gRPC's clients and servers.
func transportCredentials(security *core.TLS) credentials.TransportCredentials {
	if security == nil {
		return insecure.NewCredentials()
	}
	return secured{forHTTP2(security)}
}

// secured leaves the handshake to core, and tells gRPC the TLS state: a client's
// connection is secure before gRPC gets it, so that errors keep their types.
type secured struct{ security *core.TLS }

var (
	errNotDialled   = errors.New("the connection is not from this transport's dialer: leave grpc.WithContextDialer out of the options")
	errNotHTTP2     = errors.New("the other side does not speak HTTP/2 under TLS: its ALPN has no h2")
	errNotConnected = errors.New("the connection is not under TLS")
)

// ClientHandshake takes a connection of the dialer.
func (secured) ClientHandshake(_ context.Context, _ string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	c, ok := conn.(*connection)
	if !ok {
		return nil, nil, errNotDialled
	}
	info, err := authInfo(c.tlsState())
	return c, info, err
}

// ServerHandshake does the handshake. gRPC has set a deadline for it, and calls
// it in a goroutine of the connection's own.
func (s secured) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, err := s.security.Accept(context.Background(), raw)
	if err != nil {
		return nil, nil, err
	}
	info, err := authInfo(tlsStateOf(conn))
	if arrived, ok := raw.(*arrival); ok && err == nil {
		arrived.isHosts()
	}
	return conn, info, err
}

// tlsStateOf returns the state that core's handshake has left; false without TLS.
func tlsStateOf(conn net.Conn) (tls.ConnectionState, bool) {
	c, ok := conn.(interface{ ConnectionState() tls.ConnectionState })
	if !ok {
		return tls.ConnectionState{}, false
	}
	return c.ConnectionState(), true
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

func (secured) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls"}
}

func (s secured) Clone() credentials.TransportCredentials { return s }

func (secured) OverrideServerName(string) error { return nil }
