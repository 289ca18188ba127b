package transportgrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/proto/pluginpb"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
	"github.com/jackfield-go/jackfield/transport-grpc/internal/probepb"
)

// F13: the output of a finished call is never lost.
func TestOutputArrivesBeforeAnOrderlyEnd(t *testing.T) {
	inEach(t, schemes, func(t *testing.T, m mode) {
		for i := range 100 {
			p := printAndEnd(t, m, i, func(t *testing.T, p *process) { promptly(t, "Close", p.Close) })
			if text := p.log.String(); text != "" {
				t.Errorf("run %d: logged: %s", i, text)
			}
		}
	})
}

func printAndEnd(t *testing.T, m mode, i int, end func(*testing.T, *process)) *process {
	t.Helper()
	p := launch(t, "probe", host.Config{}, m.options()...)
	stdout, stderr := strings.Repeat(fmt.Sprintf("out %d\n", i), 1+i*i*7), fmt.Sprintf("err %d\n", i)
	if _, err := p.probe.Print(within(t), &probepb.PrintRequest{Stdout: stdout, Stderr: stderr}); err != nil {
		t.Fatal(err)
	}
	end(t, p)
	if got := p.stdout.String(); got != stdout {
		t.Errorf("run %d: stdout: %d of %d bytes came", i, len(got), len(stdout))
	}
	if got := p.stderr.String(); got != stderr {
		t.Errorf("run %d: stderr: got %q", i, got)
	}
	return p
}

// gRPC starts the methods of a connection in any order.
func TestOutputArrivesWhenShutdownOvertakesItsStream(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		var r *rig
		late := func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
			if info.FullMethod == pluginpb.GRPCStdio_StreamStdio_FullMethodName {
				<-r.quit
			}
			return handler(srv, stream)
		}
		r = rigUp(t, setup{mode: m, plugin: []transportgrpc.Option{
			transportgrpc.WithServerOptions(grpc.ChainStreamInterceptor(late)),
		}})
		h := r.connect(t)
		if _, err := io.WriteString(r.stdout, "printed\n"); err != nil {
			t.Fatal(err)
		}
		if err := h.Quit(within(t)); err != nil {
			t.Fatal(err)
		}
		if got := h.stdout.String(); got != "printed\n" {
			t.Errorf("stdout: got %q", got)
		}
	})
}

// A host leaving quickly may not have opened the stream yet.
func TestQuitOpensTheStreamOfOutputFirst(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		release := make(chan struct{})
		var opened atomic.Bool
		open := func(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
			if method == pluginpb.GRPCStdio_StreamStdio_FullMethodName {
				<-release
				defer opened.Store(true)
			}
			return streamer(ctx, desc, conn, method, opts...)
		}
		ask := func(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoker grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			if method == pluginpb.GRPCController_Shutdown_FullMethodName && !opened.Load() {
				t.Error("the plugin is asked to leave, and its output has no stream yet")
			}
			return invoker(ctx, method, req, reply, conn, opts...)
		}
		r := rigUp(t, setup{mode: m})
		h := r.connect(t, transportgrpc.WithDialOptions(grpc.WithChainStreamInterceptor(open), grpc.WithChainUnaryInterceptor(ask)))
		if _, err := io.WriteString(r.stdout, "printed\n"); err != nil {
			t.Fatal(err)
		}
		impatient, cancel := context.WithCancel(t.Context())
		cancel()
		if err := h.Quit(impatient); !errors.Is(err, context.Canceled) {
			t.Errorf("Quit: got %v, want context.Canceled", err)
		}
		close(release)
		if err := h.Quit(within(t)); err != nil {
			t.Fatal(err)
		}
		if got := h.stdout.String(); got != "printed\n" {
			t.Errorf("stdout: got %q", got)
		}
	})
}

// F23.
func TestCloseLeavesNoSocketFile(t *testing.T) {
	inEach(t, schemes, func(t *testing.T, m mode) {
		leavesNoSocket(t, m, func(t *testing.T, p *process) { promptly(t, "Close", p.Close) })
	})
}

func leavesNoSocket(t *testing.T, m mode, end func(*testing.T, *process)) {
	t.Helper()
	p := launch(t, "probe", host.Config{}, m.options()...)
	if _, err := p.probe.Offer(within(t), &probepb.OfferRequest{Count: 3}); err != nil {
		t.Fatal(err)
	}
	if n := socketFiles(t, p); n == 0 {
		t.Error("there is no socket: this test sees nothing")
	}
	end(t, p)
	if n := socketFiles(t, p); n != 0 {
		t.Errorf("%d sockets are left", n)
	}
}

// gateway lets calls in, and out when it is told to.
type gateway struct {
	probepb.UnimplementedProbeServiceServer

	entered, leave chan struct{}
	heedless       bool // does not heed its context
}

func newGateway() *gateway {
	return &gateway{entered: make(chan struct{}, 1), leave: make(chan struct{})}
}

func (g *gateway) register(_ *transportgrpc.Broker, r grpc.ServiceRegistrar) error {
	probepb.RegisterProbeServiceServer(r, g)
	return nil
}

func (g *gateway) Echo(ctx context.Context, req *probepb.EchoRequest) (*probepb.EchoResponse, error) {
	g.entered <- struct{}{}
	done := ctx.Done()
	if g.heedless {
		done = nil
	}
	select {
	case <-g.leave:
		return &probepb.EchoResponse{Data: req.GetData()}, nil
	case <-done:
		return nil, ctx.Err()
	}
}

func (h *testHost) enter(t *testing.T, g *gateway) <-chan error {
	t.Helper()
	call := async(func() error { _, err := h.probe.Echo(within(t), &probepb.EchoRequest{}); return err })
	receive(t, "the call", g.entered)
	return call
}

// Both orderly ends of a plugin.
func orderlyEnds(r *rig, h *testHost) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Quit": h.Quit,
		"Leave": func(ctx context.Context) error {
			r.server.Leave()
			return r.ended(ctx)
		},
	}
}

func TestOrderlyEndLetsCallsFinish(t *testing.T) {
	inEach(t, schemes, func(t *testing.T, m mode) {
		for _, which := range []string{"Quit", "Leave"} {
			t.Run(which, func(t *testing.T) {
				g := newGateway()
				r := rigUp(t, setup{mode: m, register: g.register})
				h := r.connect(t)
				call := h.enter(t, g)
				end := async(func() error { return orderlyEnds(r, h)[which](within(t)) })
				if err := h.Ping(within(t)); err != nil {
					t.Errorf("a ping while the plugin leaves: %v", err)
				}
				select {
				case <-r.quit:
					t.Error("the shutdown functions ran while a call was in flight")
				default:
				}
				close(g.leave)
				if err := receive(t, "the call", call); err != nil {
					t.Errorf("the call in flight: %v", err)
				}
				if err := receive(t, which, end); err != nil {
					t.Errorf("%s: %v", which, err)
				}
				promptly(t, "the end of Serve", func() error { return r.ended(within(t)) })
			})
		}
	})
}

// A service named like the protocol's is still the application's.
func TestOrderlyEndLetsCallsOfServicesWithLikeNamesFinish(t *testing.T) {
	for _, service := range []string{"plugin.GRPCGreeter", "grpc.greeter.v1.Greeter"} {
		t.Run(service, func(t *testing.T) {
			entered, leave := make(chan struct{}), make(chan struct{})
			r := rigUp(t, setup{register: func(_ *transportgrpc.Broker, r grpc.ServiceRegistrar) error {
				r.RegisterService(&grpc.ServiceDesc{ServiceName: service, Streams: []grpc.StreamDesc{{
					StreamName: "Wait", ServerStreams: true, ClientStreams: true,
					Handler: func(any, grpc.ServerStream) error {
						close(entered)
						<-leave
						return nil
					},
				}}}, nil)
				return nil
			}})
			h := r.connect(t)
			stream, err := h.conn.NewStream(within(t), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/"+service+"/Wait")
			if err != nil {
				t.Fatal(err)
			}
			receive(t, "the call", entered)
			end := async(func() error { return h.Quit(within(t)) })
			for range 20 { // enough round trips for the fault
				if err := h.Ping(within(t)); err != nil {
					t.Errorf("a ping while the plugin leaves: %v", err)
				}
			}
			select {
			case <-r.quit:
				t.Error("the shutdown functions ran while a call was in flight")
			default:
			}
			close(leave)
			if err := stream.RecvMsg(new(probepb.EchoResponse)); !errors.Is(err, io.EOF) {
				t.Errorf("the call in flight: %v", err)
			}
			if err := receive(t, "Quit", end); err != nil {
				t.Errorf("Quit: %v", err)
			}
		})
	}
}

func TestMethodThatDoesNotEndKeepsThePluginForTheTimeoutAlone(t *testing.T) {
	inEach(t, schemes, func(t *testing.T, m mode) {
		for _, which := range []string{"Quit", "Leave"} {
			t.Run(which, func(t *testing.T) {
				g := newGateway()
				g.heedless = true
				defer close(g.leave) // lest the test leaves it behind
				r := rigUp(t, setup{mode: m, register: g.register, timeout: 200 * time.Millisecond})
				h := r.connect(t)
				call := h.enter(t, g)
				if _, err := r.stdout.Write([]byte("printed before")); err != nil {
					t.Fatal(err)
				}
				_ = receive(t, which, async(func() error { return orderlyEnds(r, h)[which](within(t)) }))
				if err := receive(t, "the call", call); err == nil {
					t.Error("the call that was cut off returned no error")
				}
				promptly(t, "the end of Serve", func() error { return r.ended(within(t)) })
				h.stdout.wait(t, "printed before")
			})
		}
	})
}

func TestPluginWithAMethodThatDoesNotEndLeavesInTime(t *testing.T) {
	inEach(t, schemes, func(t *testing.T, m mode) {
		p := launch(t, "probe", host.Config{}, m.options()...)
		call := async(func() error { _, err := p.probe.Hold(within(t), &probepb.HoldRequest{}); return err })
		if _, err := p.probe.Echo(within(t), &probepb.EchoRequest{}); err != nil {
			t.Fatal(err)
		}
		promptly(t, "Close", p.Close) // no StopError: it was not killed
		if err := receive(t, "the call", call); !errors.Is(err, core.ErrClosed) {
			t.Errorf("the call that was cut off returned %v, want core.ErrClosed", err)
		}
		if text := p.log.String(); text != "" {
			t.Errorf("logged: %s", text)
		}
	})
}

// A method may be waiting for its context or for a message of the host's. The
// shutdown functions run after both.
func TestLeavingPluginCutsLongCallsOff(t *testing.T) {
	inEach(t, schemes, func(t *testing.T, m mode) {
		entered, returned := make(chan struct{}, 2), make(chan struct{}, 2)
		r := rigUp(t, setup{mode: m, timeout: 200 * time.Millisecond, register: func(_ *transportgrpc.Broker, r grpc.ServiceRegistrar) error {
			r.RegisterService(&grpc.ServiceDesc{
				ServiceName: "test.Waiter",
				Methods: []grpc.MethodDesc{{MethodName: "Context", Handler: func(
					_ any, ctx context.Context, _ func(any) error, intercept grpc.UnaryServerInterceptor,
				) (any, error) {
					return intercept(ctx, nil, &grpc.UnaryServerInfo{FullMethod: "/test.Waiter/Context"}, func(ctx context.Context, _ any) (any, error) {
						entered <- struct{}{}
						<-ctx.Done()
						returned <- struct{}{}
						return nil, ctx.Err()
					})
				}}},
				Streams: []grpc.StreamDesc{{
					StreamName: "Message", ServerStreams: true, ClientStreams: true,
					Handler: func(_ any, stream grpc.ServerStream) error {
						entered <- struct{}{}
						err := stream.RecvMsg(new(probepb.EchoRequest))
						returned <- struct{}{}
						return err
					},
				}},
			}, nil)
			return nil
		}})
		h := r.connect(t)
		unary := async(func() error {
			return h.conn.Invoke(within(t), "/test.Waiter/Context", new(probepb.EchoRequest), new(probepb.EchoResponse))
		})
		stream, err := h.conn.NewStream(within(t), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/test.Waiter/Message")
		if err != nil {
			t.Fatal(err)
		}
		receive(t, "a call", entered)
		receive(t, "a call", entered)
		r.server.Leave()
		receive(t, "the shutdown functions", r.quit)
		if n := len(returned); n != 2 {
			t.Errorf("%d of 2 methods had returned when the shutdown functions ran", n)
		}
		for name, err := range map[string]error{
			"unary":  receive(t, "the end of the call", unary),
			"stream": stream.RecvMsg(new(probepb.EchoResponse)),
		} {
			if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "the plugin is leaving") {
				t.Errorf("%s: %v", name, err)
			}
		}
		promptly(t, "the end of Serve", func() error { return r.ended(within(t)) })
	})
}

// A silent connection delays nobody: gRPC waits two minutes for it.
func TestSilentConnectionsHoldNoEndUp(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		for _, which := range []string{"Quit", "Leave", "Close"} {
			t.Run(which, func(t *testing.T) {
				r := rigUp(t, setup{mode: m})
				h := r.connect(t)
				if !m.multiplexed {
					r.raw(t)
				}
				for _, s := range sides(r, h) {
					id, err := lendNumbered(context.WithoutCancel(t.Context()), s.near)
					if err != nil {
						t.Fatal(err)
					}
					expectAnswer(t, s.other, id)
					if m.secure {
						continue // it is not silent then
					}
					silent, err := s.other.Dial(within(t), id)
					if err != nil {
						t.Fatal(err)
					}
					defer silent.Close()
				}
				ends := orderlyEnds(r, h)
				ends["Close"] = func(ctx context.Context) error {
					r.server.Close()
					return r.ended(ctx)
				}
				promptly(t, which, func() error { return ends[which](within(t)) })
				promptly(t, "the end of Serve", func() error { return r.ended(within(t)) })
				promptly(t, "the host's Close", h.Close)
			})
		}
	})
}
