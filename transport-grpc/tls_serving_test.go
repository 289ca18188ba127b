package transportgrpc_test

import (
	"crypto/tls"
	"errors"
	"strings"
	"testing"

	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/core"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// The plugin gets no ID of a service without a server.
func TestBrokerReportsTLSThatCannotServe(t *testing.T) {
	inEach(t, []mode{{secure: true}, {multiplexed: true, secure: true}}, func(t *testing.T, m mode) {
		for name, test := range map[string]struct {
			server *tls.Config
			words  string
		}{
			"no configuration": {nil, "no Server configuration"},
			"no certificate":   {new(tls.Config), "without a certificate"},
		} {
			t.Run(name, func(t *testing.T) {
				r := rigUp(t, setup{mode: m})
				h := r.connectWith(t, func(l *core.HostLink) { l.TLS = &core.TLS{Client: l.TLS.Client, Server: test.server} })
				before := r.sockets.count(t)
				_, listened := h.broker.Listen(within(t), h.broker.NextID())
				_, lent := transportgrpc.Lend(within(t), h.broker, func(grpc.ServiceRegistrar, any) {}, any(h))
				for how, err := range map[string]error{
					"Serve":  h.broker.Serve(within(t), h.broker.NextID(), func(grpc.ServiceRegistrar) {}),
					"Listen": listened,
					"Lend":   lent,
				} {
					if !errors.Is(err, core.ErrCannotServe) || !strings.Contains(err.Error(), test.words) {
						t.Errorf("%s: %v", how, err)
					}
				}
				if after := r.sockets.count(t); after != before {
					t.Errorf("%d sockets, then %d", before, after)
				}
				h.echoes(t)
			})
		}
	})
}

func TestBorrowedServiceThatIsNeverCalledAlarmsNobody(t *testing.T) {
	inEach(t, []mode{{secure: true}, {multiplexed: true, secure: true}}, func(t *testing.T, m mode) {
		r := rigUp(t, setup{mode: m})
		told := make(chan error, 20)
		h := r.connectWith(t, func(l *core.HostLink) {
			l.TLS = &core.TLS{Client: l.TLS.Client, Server: l.TLS.Server, Refused: func(err error) { told <- err }}
		})
		for range cap(told) {
			id, err := lendNumbered(within(t), h.broker)
			if err != nil {
				t.Fatal(err)
			}
			conn, err := r.broker.Client(within(t), id)
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.Close()
		}
		promptly(t, "the host's Close", h.Close)
		if len(told) > 0 {
			t.Errorf("the host was told of %d strangers, of the first with %v", len(told), <-told)
		}
	})
}
