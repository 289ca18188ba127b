package transportgrpc_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugintest"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
	"github.com/jackfield-go/jackfield/transport-grpc/internal/probepb"
)

// serveBare is a plugin as one in another language may be: a gRPC server with
// none of the protocol's services. It ends when it is killed.
func serveBare() {
	listener, err := net.Listen("unix", filepath.Join(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "bare"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	server := grpc.NewServer()
	probepb.RegisterProbeServiceServer(server, &probeServer{impl: testProbe{}})
	_, _ = fmt.Fprintf(os.Stdout, "1|1|unix|%s|grpc\n", listener.Addr())
	_ = server.Serve(listener)
}

func TestBareServerIsAPlugin(t *testing.T) {
	p := launch(t, "bare", host.Config{})
	if res, err := p.probe.Echo(within(t), &probepb.EchoRequest{Data: []byte("hello")}); err != nil || string(res.GetData()) != "hello" {
		t.Errorf("got %q, %v", res.GetData(), err)
	}
	if err := p.Ping(within(t)); err != nil {
		t.Errorf("Ping: %v", err)
	}
	if _, err := p.broker.Client(within(t), 1); !errors.Is(err, transportgrpc.ErrNoBroker) {
		t.Errorf("Dial: got %v, want ErrNoBroker", err)
	}
	if _, err := lendNumbered(within(t), p.broker); !errors.Is(err, transportgrpc.ErrNoBroker) {
		t.Errorf("Lend: got %v, want ErrNoBroker", err)
	}
	promptly(t, "Close", p.Close)
	if text := p.log.String(); text != "" {
		t.Errorf("logged above debug: %s", text)
	}
}

// fakePlugin is a gRPC server of the test's own for hosts.
func fakePlugin(t *testing.T, register func(*grpc.Server), opts ...grpc.ServerOption) (address string) {
	t.Helper()
	listener, err := newSockets(t).listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(opts...)
	register(server)
	served := async(func() error { return server.Serve(listener) })
	t.Cleanup(func() {
		server.Stop()
		if err := receive(t, "the fake plugin", served); err != nil {
			t.Error(err)
		}
	})
	return listener.AnnounceAddress
}

// sick is a health service.
type sick struct {
	grpc_health_v1.UnimplementedHealthServer

	answer func(context.Context) (grpc_health_v1.HealthCheckResponse_ServingStatus, error)
}

func (s sick) Check(ctx context.Context, _ *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	answer, err := s.answer(ctx)
	return &grpc_health_v1.HealthCheckResponse{Status: answer}, err
}

func TestPingAsksTheHealthService(t *testing.T) {
	type serving = grpc_health_v1.HealthCheckResponse_ServingStatus
	for name, c := range map[string]struct {
		answer serving
		err    error
		want   string // in the error; empty: none
	}{
		"serving":             {answer: grpc_health_v1.HealthCheckResponse_SERVING},
		"not serving":         {answer: grpc_health_v1.HealthCheckResponse_NOT_SERVING, want: "NOT_SERVING"},
		"an unknown answer":   {answer: 77, want: "77"},
		"an error":            {err: status.Error(codes.Internal, "as expected"), want: "as expected"},
		"knows no such thing": {err: status.Error(codes.NotFound, "unknown service")},
	} {
		t.Run(name, func(t *testing.T) {
			plugintest.NoLeaks(t)
			address := fakePlugin(t, func(s *grpc.Server) {
				grpc_health_v1.RegisterHealthServer(s, sick{answer: func(context.Context) (serving, error) { return c.answer, c.err }})
			})
			h, err := mode{}.dial(t, newSockets(t), address, nil)
			if err != nil {
				t.Fatal(err)
			}
			err = h.Ping(within(t))
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in the error", err, c.want)
			}
		})
	}
}

// F7.
func TestPingThatIsNotAnsweredEndsWithItsContext(t *testing.T) {
	plugintest.NoLeaks(t)
	asked := make(chan struct{}, 1)
	address := fakePlugin(t, func(s *grpc.Server) {
		grpc_health_v1.RegisterHealthServer(s, sick{answer: func(ctx context.Context) (grpc_health_v1.HealthCheckResponse_ServingStatus, error) {
			asked <- struct{}{}
			<-ctx.Done()
			return 0, ctx.Err()
		}})
	})
	h, err := mode{}.dial(t, newSockets(t), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	ping := async(func() error { return h.Ping(ctx) })
	receive(t, "the question", asked)
	cancel(errExpected)
	if err := receive(t, "Ping", ping); !errors.Is(err, context.Canceled) || !errors.Is(err, errExpected) {
		t.Errorf("got %v, want the context's error and cause", err)
	}
}
