package transportgrpc_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/broker/exchange"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
	"github.com/jackfield-go/jackfield/transport-grpc/internal/probepb"
)

// onEachServer runs a test with clients of impl: served by the plugin, lent by the
// plugin, and lent by the host.
func onEachServer(
	t *testing.T, m mode, impl probepb.ProbeServiceServer, opts []transportgrpc.Option,
	test func(t *testing.T, client probepb.ProbeServiceClient),
) {
	r := rigUp(t, setup{mode: m, plugin: opts, register: func(_ *transportgrpc.Broker, r grpc.ServiceRegistrar) error {
		probepb.RegisterProbeServiceServer(r, impl)
		return nil
	}})
	h := r.connect(t, opts...)
	t.Run("the plugin's", func(t *testing.T) { test(t, h.probe) })
	for _, s := range sides(r, h) {
		t.Run(s.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
			defer cancel()
			id, err := transportgrpc.Lend(ctx, s.near, probepb.RegisterProbeServiceServer, impl)
			if err != nil {
				t.Fatal(err)
			}
			client, err := transportgrpc.Borrow(ctx, s.other, id, probepb.NewProbeServiceClient)
			if err != nil {
				t.Fatal(err)
			}
			test(t, client)
		})
	}
}

// firstOfCount returns the first answer of a stream, or its error.
func firstOfCount(ctx context.Context, client probepb.ProbeServiceClient) error {
	stream, err := client.Count(ctx, &probepb.CountRequest{})
	if err != nil {
		return err
	}
	_, err = stream.Recv()
	return err
}

// holding is a probe reporting calls of Block.
type holding struct {
	probeServer

	entered chan struct{}
}

func (h *holding) Block(ctx context.Context, _ *probepb.BlockRequest) (*probepb.BlockResponse, error) {
	h.entered <- struct{}{}
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

// huge is a plugin with errors above a client's limit of headers.
type huge struct {
	probepb.UnimplementedProbeServiceServer
}

func (huge) Echo(_ context.Context, req *probepb.EchoRequest) (*probepb.EchoResponse, error) {
	if len(req.GetData()) > 0 {
		return &probepb.EchoResponse{Data: req.GetData()}, nil
	}
	return nil, status.Error(codes.DataLoss, strings.Repeat("so much was lost ", 1<<20))
}

func (h huge) Count(*probepb.CountRequest, grpc.ServerStreamingServer[probepb.CountResponse]) error {
	_, err := h.Echo(context.Background(), &probepb.EchoRequest{})
	return err
}

// quitter ends its goroutines.
type quitter struct{ huge }

func (quitter) Fail(context.Context, *probepb.FailRequest) (*probepb.FailResponse, error) {
	runtime.Goexit()
	return nil, nil
}

func (quitter) Count(*probepb.CountRequest, grpc.ServerStreamingServer[probepb.CountResponse]) error {
	runtime.Goexit()
	return nil
}

func TestMethodThatEndsItsGoroutineFailsItsCall(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		onEachServer(t, m, quitter{}, nil, func(t *testing.T, client probepb.ProbeServiceClient) {
			for range 10 { // more than there are workers
				_, unary := client.Fail(within(t), &probepb.FailRequest{})
				for name, err := range map[string]error{"unary": unary, "stream": firstOfCount(within(t), client)} {
					if status.Code(err) != codes.Internal || !strings.Contains(err.Error(), "runtime.Goexit") {
						t.Errorf("%s: %v", name, err)
					}
				}
			}
			if _, err := client.Echo(within(t), &probepb.EchoRequest{Data: []byte("x")}); err != nil {
				t.Errorf("a later call: %v", err)
			}
		})
	})
}

// A client drops the connection at a status of more than 16 MiB.
func TestErrorIsCutToTheLimitOfEveryClient(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		onEachServer(t, m, huge{}, nil, func(t *testing.T, client probepb.ProbeServiceClient) {
			_, unary := client.Echo(within(t), &probepb.EchoRequest{})
			for name, err := range map[string]error{"unary": unary, "stream": firstOfCount(within(t), client)} {
				text := err.Error()
				if status.Code(err) != codes.DataLoss || !strings.Contains(text, "so much was lost") || !strings.Contains(text, "[cut: the text has 17825792 bytes]") {
					t.Errorf("%s: %s %.200q", name, status.Code(err), text)
				}
				if len(text) > 64<<10 {
					t.Errorf("%s: a text of %d bytes", name, len(text))
				}
			}
			if _, err := client.Echo(within(t), &probepb.EchoRequest{Data: []byte("x")}); err != nil {
				t.Errorf("a later call: %v", err)
			}
		})
	})
}

// detailed answers with errors with details.
type detailed struct {
	probepb.UnimplementedProbeServiceServer

	text, detail int // sizes
}

func (d detailed) Echo(context.Context, *probepb.EchoRequest) (*probepb.EchoResponse, error) {
	s, err := status.New(codes.Aborted, strings.Repeat("é", d.text/2)).
		WithDetails(wrapperspb.String(strings.Repeat("d", d.detail)))
	return nil, errors.Join(err, s.Err())
}

func TestDetailsOfAnErrorAreKeptWhereTheyFit(t *testing.T) {
	for name, test := range map[string]struct {
		text, detail  int
		details       int
		cut, mentions string
	}{
		"small":                     {100, 100, 1, "", ""},
		"a long text":               {1 << 20, 100, 1, "cut: the text has", ""},
		"long details":              {100, 1 << 20, 0, "", "were dropped"},
		"a long text, long details": {1 << 20, 1 << 20, 0, "cut: the text has", "were dropped"},
	} {
		t.Run(name, func(t *testing.T) {
			onEachServer(t, mode{}, detailed{text: test.text, detail: test.detail}, nil, func(t *testing.T, client probepb.ProbeServiceClient) {
				_, err := client.Echo(within(t), &probepb.EchoRequest{})
				s := status.Convert(err)
				if s.Code() != codes.Aborted || len(s.Details()) != test.details {
					t.Errorf("%s with %d details", s.Code(), len(s.Details()))
				}
				if text := s.Message(); !strings.Contains(text, test.cut) || !strings.Contains(text, test.mentions) || strings.Contains(text, "\uFFFD") {
					t.Errorf("got %.300q", text)
				}
			})
		})
	}
}

// http2 connects to a server as HTTP/2 does.
func http2(t *testing.T, m mode, conn net.Conn) net.Conn {
	t.Helper()
	t.Cleanup(func() { conn.Close() })
	if m.secure {
		config := security().Client.Clone()
		config.NextProtos = []string{"h2"}
		conn = tls.Client(conn, config)
	}
	if _, err := io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"); err != nil {
		t.Fatal(err)
	}
	return conn
}

// nextFrame returns the next frame of a kind.
func nextFrame(t *testing.T, conn net.Conn, kinds string) (kind byte, payload []byte) {
	t.Helper()
	for {
		var header [9]byte
		if _, err := io.ReadFull(conn, header[:]); err != nil {
			t.Fatal(err)
		}
		payload = make([]byte, int(header[0])<<16|int(header[1])<<8|int(header[2]))
		if _, err := io.ReadFull(conn, payload); err != nil {
			t.Fatal(err)
		}
		if strings.IndexByte(kinds, header[3]) >= 0 {
			return header[3], payload
		}
	}
}

const (
	kindSettings = 4
	kindPing     = 6
	kindGoAway   = 7
)

// served are connections to the servers of a rig, by name.
func servedConns(t *testing.T, m mode, r *rig, h *testHost) map[string]net.Conn {
	t.Helper()
	conns := make(map[string]net.Conn)
	if !m.secure { // Broker.Dial has other protocols
		for _, s := range sides(r, h) {
			id, err := lendNumbered(context.WithoutCancel(t.Context()), s.near)
			if err != nil {
				t.Fatal(err)
			}
			conn, err := s.other.Dial(within(t), id)
			if err != nil {
				t.Fatal(err)
			}
			conns[s.name] = http2(t, m, conn)
		}
	}
	main := r.raw(t) // from here on the plugin's last host
	if m.multiplexed {
		mux := muxOver(t, main)
		t.Cleanup(func() { mux.Close() })
		ex := exchange.NewMultiplexed(broker.Config{}, broker.Yamux(mux))
		t.Cleanup(func() { ex.Close() })
		var err error
		if main, err = ex.OpenMain(within(t)); err != nil {
			t.Fatal(err)
		}
	}
	conns["the plugin's server"] = http2(t, m, main)
	return conns
}

// gRPC's own limit is a ping in 5 minutes, below its own keep-alives.
func TestFrequentPingsKeepTheirConnection(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		r := rigUp(t, setup{mode: m})
		h := r.connect(t)
		for name, conn := range servedConns(t, m, r, h) {
			for i := range byte(6) { // gRPC has two offences free
				want := bytes.Repeat([]byte{i + 1}, 8)
				if _, err := conn.Write(append([]byte{0, 0, 8, kindPing, 0, 0, 0, 0, 0}, want...)); err != nil {
					t.Fatal(err)
				}
				for {
					kind, payload := nextFrame(t, conn, string([]byte{kindPing, kindGoAway}))
					if kind == kindGoAway {
						t.Fatalf("%s: GOAWAY after %d pings: %q", name, i+1, payload[8:])
					}
					if bytes.Equal(payload, want) {
						break
					}
				}
			}
		}
	})
}

func TestCallsOfAConnectionAreBounded(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		for name, test := range map[string]struct {
			opts []transportgrpc.Option
			want uint32
		}{
			"unless set":     {nil, transportgrpc.DefaultMaxConcurrentCalls},
			"set":            {[]transportgrpc.Option{transportgrpc.WithMaxConcurrentCalls(3)}, 3},
			"set to nothing": {[]transportgrpc.Option{transportgrpc.WithMaxConcurrentCalls(0)}, transportgrpc.DefaultMaxConcurrentCalls},
		} {
			t.Run(name, func(t *testing.T) {
				r := rigUp(t, setup{mode: m, plugin: test.opts})
				h := r.connect(t, test.opts...)
				for name, conn := range servedConns(t, m, r, h) {
					want := test.want
					if name == "the plugin's server" {
						want += 2 // the permanent streams
					}
					_, payload := nextFrame(t, conn, string([]byte{kindSettings}))
					if got := concurrentStreams(payload); got != want {
						t.Errorf("%s takes %d streams at a time, want %d", name, got, want)
					}
				}
			})
		}
	})
}

// concurrentStreams returns the limit in a frame of settings; 0 without.
func concurrentStreams(settings []byte) uint32 {
	for ; len(settings) >= 6; settings = settings[6:] {
		if binary.BigEndian.Uint16(settings) == 3 {
			return binary.BigEndian.Uint32(settings[2:])
		}
	}
	return 0
}

func TestCallsAboveTheBoundWait(t *testing.T) {
	inEach(t, schemes, func(t *testing.T, m mode) {
		entered := make(chan struct{}, 10)
		impl := &holding{probeServer{impl: testProbe{}}, entered}
		bound := []transportgrpc.Option{transportgrpc.WithMaxConcurrentCalls(2)}
		onEachServer(t, m, impl, bound, func(t *testing.T, client probepb.ProbeServiceClient) {
			ctx, cancel := context.WithCancel(within(t))
			var calls []<-chan error
			for range 2 {
				calls = append(calls, async(func() error { _, err := client.Block(ctx, &probepb.BlockRequest{}); return err }))
				receive(t, "a call", entered)
			}
			third := async(func() error { _, err := client.Echo(within(t), &probepb.EchoRequest{}); return err })
			select {
			case err := <-third:
				t.Errorf("the third call did not wait: %v", err)
			default:
			}
			cancel()
			for _, call := range calls {
				_ = receive(t, "a call", call)
			}
			if err := receive(t, "the third call", third); err != nil {
				t.Errorf("the third call: %v", err)
			}
		})
	})
}
