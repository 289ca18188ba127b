package transportgrpc_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
	"github.com/jackfield-go/jackfield/transport-grpc/internal/probepb"
)

// fixedID is the application's for a foreign side.
var fixedID = transportgrpc.WithHostServicesID(1_000_000)

// offering is a host's option: a question service that answers with data, and a probe.
func offering(data string) transportgrpc.Option {
	return transportgrpc.WithHostServices(func(b *transportgrpc.Broker, r grpc.ServiceRegistrar) error {
		probepb.RegisterQuestionServiceServer(r, &numbered{data: data})
		probepb.RegisterProbeServiceServer(r, &probeServer{impl: testProbe{}, broker: b})
		return nil
	})
}

// asksHost calls a service of the host.
func asksHost(t *testing.T, r *rig, want string) {
	t.Helper()
	res, err := probepb.NewQuestionServiceClient(r.broker.Host()).Answer(within(t), &probepb.AnswerRequest{})
	if err != nil || res.GetAnswer() != want {
		t.Errorf("got %q, %v; want %q", res.GetAnswer(), err, want)
	}
}

func TestPluginCallsTheHostsServices(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		var dials atomic.Int64
		counted := transportgrpc.WithServerOptions(grpc.StatsHandler(connectionStarts{connectionCounter{}, &dials}))
		r := rigUp(t, setup{mode: m, plugin: []transportgrpc.Option{fixedID}})
		early := async(func() error {
			_, err := probepb.NewQuestionServiceClient(r.broker.Host()).Answer(within(t), &probepb.AnswerRequest{})
			return err
		})
		h := r.connect(t, offering("the host"), fixedID, counted)
		if err := receive(t, "a call before the host came", early); err != nil {
			t.Error(err)
		}
		h.echoes(t)
		var calls []<-chan error
		for i := range 20 {
			calls = append(calls, async(func() error {
				asksHost(t, r, "the host")
				if i > 1 {
					return nil
				}
				ctx, cancel := context.WithCancel(within(t))
				defer cancel()
				return firstOfCount(ctx, probepb.NewProbeServiceClient(r.broker.Host()))
			}))
		}
		for _, call := range calls {
			if err := receive(t, "a call", call); err != nil {
				t.Error(err)
			}
		}
		if n := dials.Load(); n != 1 {
			t.Errorf("%d connections were made, want 1", n)
		}
		usesBroker(t, h)
		promptly(t, "Quit", func() error { return h.Quit(within(t)) })
	})
}

func TestEachHostOffersItsOwnServices(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		r := rigUp(t, setup{mode: m, plugin: []transportgrpc.Option{fixedID}})
		for _, name := range []string{"first", "second", "third"} {
			h := r.connect(t, offering(name), fixedID)
			h.echoes(t)
			if m.multiplexed || name == "first" {
				asksHost(t, r, name)
			} else { // the end of the last broker's stream may be noticed later
				eventually(t, func() bool {
					res, err := probepb.NewQuestionServiceClient(r.broker.Host()).Answer(within(t), &probepb.AnswerRequest{})
					return err == nil && res.GetAnswer() == name
				})
			}
			h.Close()
		}
	})
}

// eventually waits for a condition that calls.
func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	for !condition() {
		if within(t).Err() != nil {
			t.Fatal("it did not happen")
		}
	}
}

func TestHostsServicesOutliveALostConnection(t *testing.T) {
	inEach(t, ours(false), func(t *testing.T, m mode) {
		r := rigUp(t, setup{mode: m})
		var wire breaker
		h := r.connectWith(t, wire.keep, offering("the host"))
		for range 3 {
			asksHost(t, r, "the host")
			wire.cut(nil)
			h.noticesTheLoss(t)
			eventually(t, func() bool {
				_, err := probepb.NewQuestionServiceClient(r.broker.Host()).Answer(within(t), &probepb.AnswerRequest{})
				return err == nil
			})
		}
	})
}

func TestHostWithoutServicesSaysSo(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		r := rigUp(t, setup{mode: m})
		h := r.connect(t)
		h.echoes(t)
		client := probepb.NewProbeServiceClient(r.broker.Host())
		_, unary := client.Echo(within(t), &probepb.EchoRequest{})
		for name, err := range map[string]error{"a call": unary, "a stream": firstOfCount(within(t), client)} {
			if !errors.Is(err, transportgrpc.ErrNoHostServices) || status.Code(err) != codes.Unimplemented {
				t.Errorf("%s: %v, want ErrNoHostServices", name, err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := client.Echo(ctx, &probepb.EchoRequest{}); !errors.Is(err, context.Canceled) && !errors.Is(err, transportgrpc.ErrNoHostServices) {
			t.Errorf("with an ended context: %v", err)
		}
	})
}

// One host's plugin gets at what it was offered, and another service is unknown.
func TestPluginReachesOfferedServicesOnly(t *testing.T) {
	inEach(t, ours(false), func(t *testing.T, m mode) {
		r := rigUp(t, setup{mode: m})
		h := r.connect(t, transportgrpc.WithHostServices(func(_ *transportgrpc.Broker, r grpc.ServiceRegistrar) error {
			probepb.RegisterQuestionServiceServer(r, &numbered{data: "the host"})
			return nil
		}))
		asksHost(t, r, "the host")
		id, err := transportgrpc.Lend[probepb.ProbeServiceServer](within(t), h.broker, probepb.RegisterProbeServiceServer, &probeServer{impl: testProbe{}})
		if err != nil {
			t.Fatal(err)
		}
		client, err := transportgrpc.Borrow(within(t), r.broker, id, probepb.NewProbeServiceClient)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Echo(within(t), &probepb.EchoRequest{}); err != nil {
			t.Error(err)
		}
		if _, err := probepb.NewProbeServiceClient(r.broker.Host()).Echo(within(t), &probepb.EchoRequest{}); status.Code(err) != codes.Unimplemented {
			t.Errorf("a service lent for itself: %v, want Unimplemented", err)
		}
	})
}

func TestHostWithBadServicesDoesNotConnect(t *testing.T) {
	inEach(t, schemes, func(t *testing.T, m mode) {
		r := rigUp(t, setup{mode: m})
		for name, register := range badRegistrations {
			_, err := r.dial(t, r.sockets, r.address, nil,
				transportgrpc.WithHostServices(func(_ *transportgrpc.Broker, r grpc.ServiceRegistrar) error {
					register(r)
					return nil
				}))
			if err == nil || !strings.Contains(err.Error(), "WithHostServices") {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, register := range []func(*transportgrpc.Broker, grpc.ServiceRegistrar) error{
			nil, func(*transportgrpc.Broker, grpc.ServiceRegistrar) error { return errExpected },
		} {
			_, err := r.dial(t, r.sockets, r.address, nil, transportgrpc.WithHostServices(register))
			if err == nil || register != nil && !errors.Is(err, errExpected) {
				t.Errorf("got %v", err)
			}
		}
	})
}
