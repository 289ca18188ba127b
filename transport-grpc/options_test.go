package transportgrpc_test

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
	"github.com/jackfield-go/jackfield/transport-grpc/internal/probepb"
)

// witness is interceptors and stats handlers recording their methods.
type witness struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (w *witness) note(what, method string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		w.seen = make(map[string]bool)
	}
	w.seen[what+" "+method] = true
}

func (w *witness) expect(t *testing.T, whose string, methods ...string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, want := range methods {
		if !w.seen[want] {
			t.Errorf("%s: %q was not seen", whose, want)
		}
	}
}

// methodKey is a stats handler's context key for the method.
type methodKey struct{}

func (w *witness) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, methodKey{}, info.FullMethodName)
}

func (w *witness) HandleRPC(ctx context.Context, s stats.RPCStats) {
	if method, ok := ctx.Value(methodKey{}).(string); ok {
		if _, ok := s.(*stats.End); ok {
			return // may come when the test has its answer already
		}
		w.note("stats", method)
	}
}

func (w *witness) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (w *witness) HandleConn(context.Context, stats.ConnStats) {}

func (w *witness) dialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithStatsHandler(w),
		grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			w.note("unary", method)
			return invoke(ctx, method, req, reply, conn, opts...)
		}),
		grpc.WithStreamInterceptor(func(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
			w.note("stream", method)
			return open(ctx, desc, conn, method, opts...)
		}),
	}
}

func (w *witness) serverOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.StatsHandler(w),
		grpc.UnaryInterceptor(func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			w.note("unary", info.FullMethod)
			return handle(ctx, req)
		}),
		grpc.ChainStreamInterceptor(func(impl any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			w.note("stream", info.FullMethod)
			return handle(impl, stream)
		}),
	}
}

const (
	echoMethod   = "/jackfield.probe.v1.ProbeService/Echo"
	countMethod  = "/jackfield.probe.v1.ProbeService/Count"
	answerMethod = "/jackfield.probe.v1.QuestionService/Answer"
)

// countOnce opens a stream, takes a message and leaves.
func countOnce(t *testing.T, client probepb.ProbeServiceClient) {
	t.Helper()
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	stream, err := client.Count(ctx, &probepb.CountRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if res, err := stream.Recv(); err != nil || res.GetNumber() != 1 {
		t.Errorf("Count: got %d, %v", res.GetNumber(), err)
	}
}

func TestOptionsActOnEveryConnection(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		var hostDials, hostServes, pluginDials, pluginServes witness
		r := rigUp(t, setup{mode: m, plugin: []transportgrpc.Option{
			transportgrpc.WithDialOptions(pluginDials.dialOptions()...),
			transportgrpc.WithServerOptions(pluginServes.serverOptions()...),
		}})
		h := r.connect(t,
			transportgrpc.WithDialOptions(hostDials.dialOptions()...),
			transportgrpc.WithServerOptions(hostServes.serverOptions()...))
		h.echoes(t)
		countOnce(t, h.probe)
		main := []string{"unary " + echoMethod, "stats " + echoMethod, "stream " + countMethod, "stats " + countMethod}
		hostDials.expect(t, "the host's dial options", main...)
		pluginServes.expect(t, "the plugin's server options", main...)
		for _, s := range sides(r, h) {
			ctx, cancel := context.WithCancel(within(t))
			id, err := lendNumbered(ctx, s.near)
			if err != nil {
				t.Fatal(err)
			}
			expectAnswer(t, s.other, id)
			cancel()
		}
		brokered := []string{"unary " + answerMethod, "stats " + answerMethod}
		hostDials.expect(t, "the host's dial options, brokered", brokered...)
		hostServes.expect(t, "the host's server options, brokered", brokered...)
		pluginDials.expect(t, "the plugin's dial options, brokered", brokered...)
		pluginServes.expect(t, "the plugin's server options, brokered", brokered...)
	})
}

func TestOptionsOfOneConnectionActOnItAlone(t *testing.T) {
	onBothSides(t, func(t *testing.T, s side) {
		var dials, serves witness
		ctx, cancel := context.WithCancel(within(t))
		id := s.near.NextID()
		serving := async(func() error { return serveProbe(ctx, s.near, id, serves.serverOptions()...) })
		for _, options := range [][]grpc.DialOption{nil, dials.dialOptions()} {
			conn, err := s.other.Client(ctx, id, options...)
			if err != nil {
				t.Fatal(err)
			}
			client := probepb.NewProbeServiceClient(conn)
			if options == nil {
				if _, err := client.Echo(ctx, &probepb.EchoRequest{}); err != nil {
					t.Error(err)
				}
			}
			countOnce(t, client)
			conn.Close()
		}
		cancel()
		_ = receive(t, "Serve", serving)
		serves.expect(t, "the server's", "unary "+echoMethod, "stream "+countMethod)
		dials.expect(t, "the dialer's", "stream "+countMethod, "stats "+countMethod)
		if dials.seen["unary "+echoMethod] {
			t.Error("the options of one connection acted on another")
		}
	})
}

func TestMessagesOf64MiBPassEachWay(t *testing.T) {
	large := bytes.Repeat([]byte("0123456789abcdef"), 4<<20)
	inEach(t, schemes, func(t *testing.T, m mode) {
		r := rigUp(t, setup{mode: m})
		h := r.connect(t)
		clients := map[string]probepb.ProbeServiceClient{"the main connection": h.probe}
		// Half a gigabyte through the race detector, on a shared machine.
		ctx, cancel := context.WithTimeout(t.Context(), 6*patience)
		var serving sync.WaitGroup
		for _, s := range sides(r, h) {
			id := s.near.NextID()
			serving.Go(func() { _ = serveProbe(ctx, s.near, id) })
			client, err := transportgrpc.Borrow(ctx, s.other, id, probepb.NewProbeServiceClient)
			if err != nil {
				t.Fatal(err)
			}
			clients[s.name] = client
		}
		for name, client := range clients {
			res, err := client.Echo(ctx, &probepb.EchoRequest{Data: large})
			if err != nil || !bytes.Equal(res.GetData(), large) {
				t.Errorf("%s: %d bytes came back, %v", name, len(res.GetData()), err)
			}
		}
		cancel()
		serving.Wait()
	})
}

func TestMessagesAboveTheLimitAreRefused(t *testing.T) {
	const limit = 1 << 20
	inEach(t, schemes, func(t *testing.T, m mode) {
		for name, limits := range map[string]struct{ plugin, host []transportgrpc.Option }{
			"the plugin's limit": {plugin: []transportgrpc.Option{transportgrpc.WithMaxMessageSize(limit)}},
			"the host's limit":   {host: []transportgrpc.Option{transportgrpc.WithMaxMessageSize(limit)}},
		} {
			r := rigUp(t, setup{mode: m, plugin: limits.plugin})
			h := r.connect(t, limits.host...)
			for _, s := range sides(r, h) {
				ctx, cancel := context.WithCancel(within(t))
				id := s.near.NextID()
				serving := async(func() error { return serveProbe(ctx, s.near, id) })
				client, err := transportgrpc.Borrow(ctx, s.other, id, probepb.NewProbeServiceClient)
				if err != nil {
					t.Fatal(err)
				}
				checkLimit(t, name+", "+s.name, client, limit)
				cancel()
				_ = receive(t, "Serve", serving)
			}
			checkLimit(t, name+", main", h.probe, limit)
		}
	})
}

func checkLimit(t *testing.T, name string, client probepb.ProbeServiceClient, limit int) {
	t.Helper()
	_, err := client.Echo(within(t), &probepb.EchoRequest{Data: make([]byte, limit+1)})
	if status.Code(err) != codes.ResourceExhausted {
		t.Errorf("%s: above it: got %v, want the code ResourceExhausted", name, err)
	}
	if _, err := client.Echo(within(t), &probepb.EchoRequest{Data: make([]byte, limit-100)}); err != nil {
		t.Errorf("%s: below it: %v", name, err)
	}
}

// The protocol's own messages are not the application's.
func TestSmallLimitLeavesTheProtocolWorking(t *testing.T) {
	inEach(t, schemes, func(t *testing.T, m mode) {
		small := transportgrpc.WithMaxMessageSize(1)
		r := rigUp(t, setup{mode: m, plugin: []transportgrpc.Option{small}})
		h := r.connect(t, small)
		text := strings.Repeat("a line of output\n", 20_000)
		printed := async(func() error { _, err := r.stdout.Write([]byte(text)); return err })
		if err := receive(t, "the print", printed); err != nil {
			t.Fatal(err)
		}
		for _, s := range sides(r, h) {
			id, err := s.near.LendReader(within(t), strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			passed, err := s.other.BorrowReader(within(t), id)
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if _, err := got.ReadFrom(passed); err != nil || got.String() != text {
				t.Errorf("%s: read %d bytes of %d, %v", s.name, got.Len(), len(text), err)
			}
			passed.Close()
		}
		if err := h.Quit(within(t)); err != nil {
			t.Error(err)
		}
		if got := h.stdout.String(); got != text {
			t.Errorf("%d bytes of %d were printed", len(got), len(text))
		}
	})
}
