package transportgrpc_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/tlsutil"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
	"github.com/jackfield-go/jackfield/transport-grpc/internal/probepb"
)

var secureModes = []mode{{secure: true}, {multiplexed: true, secure: true}}

func TestHandshakeThatFailsKeepsItsError(t *testing.T) {
	strange := errors.New("this is not my plugin")
	for name, test := range map[string]struct {
		change func(t *testing.T, client *tls.Config)
		is     func(error) bool
	}{
		"the host does not believe the plugin": {
			func(_ *testing.T, client *tls.Config) {
				client.VerifyConnection = func(tls.ConnectionState) error { return strange }
			},
			func(err error) bool { return errors.Is(err, strange) },
		},
		"the plugin does not believe the host": {
			func(t *testing.T, client *tls.Config) {
				identity, err := tlsutil.NewIdentity()
				if err != nil {
					t.Fatal(err)
				}
				client.Certificates = tlsutil.Client(identity, nil).Certificates
			},
			func(err error) bool {
				var failure *net.OpError
				return errors.As(err, &failure) && failure.Op == "remote error"
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			inEach(t, secureModes, func(t *testing.T, m mode) {
				r := rigUp(t, setup{mode: m})
				_, err := m.dial(t, r.sockets, r.address, func(l *core.HostLink) {
					l.TLS = &core.TLS{Client: l.TLS.Client.Clone(), Server: l.TLS.Server}
					test.change(t, l.TLS.Client)
				})
				if err == nil || !test.is(err) {
					t.Errorf("got %v (%T)", err, err)
				}
			})
		})
	}
}

func TestMethodsAndCallersSeeTheTLSStateOfTheConnection(t *testing.T) {
	inEach(t, secureModes, func(t *testing.T, m mode) {
		seen := make(chan credentials.AuthInfo, 1)
		r := rigUp(t, setup{mode: m, plugin: []transportgrpc.Option{transportgrpc.WithServerOptions(grpc.ChainUnaryInterceptor(
			func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
				if caller, ok := peer.FromContext(ctx); ok {
					seen <- caller.AuthInfo
				}
				return handle(ctx, req)
			},
		))}})
		var plugin peer.Peer
		if _, err := r.connect(t).probe.Echo(within(t), new(probepb.EchoRequest), grpc.Peer(&plugin)); err != nil {
			t.Fatal(err)
		}
		for name, info := range map[string]credentials.AuthInfo{"method": receive(t, "the call", seen), "caller": plugin.AuthInfo} {
			state, ok := info.(credentials.TLSInfo)
			if !ok || len(state.State.PeerCertificates) != 1 || state.State.NegotiatedProtocol != "h2" {
				t.Errorf("the %s sees %#v", name, info)
			}
			if err := credentials.CheckSecurityLevel(info, credentials.PrivacyAndIntegrity); err != nil {
				t.Errorf("the %s: %v", name, err)
			}
		}
	})
}
