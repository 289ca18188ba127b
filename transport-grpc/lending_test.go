package transportgrpc_test

import (
	"context"
	"errors"
	"net"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
	"github.com/jackfield-go/jackfield/transport-grpc/internal/probepb"
)

// onBothOfOurs is onBothSides for two sides that know each other, with the connections made.
func onBothOfOurs(t *testing.T, test func(t *testing.T, s side, connections func() int64)) {
	inEach(t, ours(false), func(t *testing.T, m mode) {
		var dials atomic.Int64
		counted := transportgrpc.WithServerOptions(grpc.StatsHandler(connectionStarts{connectionCounter{}, &dials}))
		r := rigUp(t, setup{mode: m, plugin: []transportgrpc.Option{counted}})
		h := r.connect(t, counted)
		h.echoes(t) // the main connection counts
		for _, s := range sides(r, h) {
			t.Run(s.name, func(t *testing.T) { test(t, s, dials.Load) })
		}
	})
}

// connectionStarts counts the connections of servers.
type connectionStarts struct {
	connectionCounter

	n *atomic.Int64
}

func (c connectionStarts) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context {
	c.n.Add(1)
	return ctx
}

func lendNumbers(t *testing.T, s side, n int) []uint32 {
	t.Helper()
	var ids []uint32
	for range n {
		id, err := lendNumbered(within(t), s.near)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

func TestLendingCostsNothingUntilItsFirstCall(t *testing.T) {
	onBothOfOurs(t, func(t *testing.T, s side, connections func() int64) {
		lendNumbers(t, s, 1) // the server waits from now on
		conns, goroutines := connections(), runtime.NumGoroutine()
		ids := lendNumbers(t, s, 500)
		var clients []probepb.QuestionServiceClient
		for _, id := range ids {
			client, err := transportgrpc.Borrow(within(t), s.other, id, probepb.NewQuestionServiceClient)
			if err != nil {
				t.Fatal(err)
			}
			clients = append(clients, client)
		}
		if n := runtime.NumGoroutine(); n > goroutines+100 {
			t.Errorf("500 lendings have %d goroutines", n-goroutines)
		}
		if n := connections(); n != conns {
			t.Errorf("%d connections were made", n-conns)
		}
		for i, client := range clients {
			res, err := client.Answer(within(t), &probepb.AnswerRequest{})
			if err != nil || res.GetAnswer() != strconv.FormatUint(uint64(ids[i]), 10) {
				t.Fatalf("lending %d: %v, %v", i, res, err)
			}
		}
		if n := connections(); n != conns+1 {
			t.Errorf("%d connections were made, want 1", n-conns)
		}
	})
}

func TestReferenceIsDeadAfterItsContext(t *testing.T) {
	onBothOfOurs(t, func(t *testing.T, s side, _ func() int64) {
		ctx, cancel := context.WithCancel(within(t))
		release := make(chan struct{})
		defer close(release)
		entered := make(chan struct{}, 10)
		id, err := transportgrpc.Lend[probepb.ProbeServiceServer](ctx, s.near, probepb.RegisterProbeServiceServer, &deafProbe{entered: entered, release: release})
		if err != nil {
			t.Fatal(err)
		}
		client, err := transportgrpc.Borrow(within(t), s.other, id, probepb.NewProbeServiceClient)
		if err != nil {
			t.Fatal(err)
		}
		calls := map[string]<-chan error{
			"a call":   async(func() error { _, err := client.Hold(within(t), &probepb.HoldRequest{}); return err }),
			"a stream": async(func() error { return firstOfCount(within(t), client) }),
		}
		for range calls {
			receive(t, "the methods", entered)
		}
		cancel()
		for name, call := range calls {
			if err := receive(t, name, call); status.Code(err) != codes.Unavailable {
				t.Errorf("%s in flight: %v", name, err)
			}
		}
		_, unary := client.Echo(within(t), &probepb.EchoRequest{})
		for name, err := range map[string]error{"call": unary, "stream": firstOfCount(within(t), client)} {
			if !errors.Is(err, broker.ErrUnclaimed) || status.Code(err) != codes.Unavailable {
				t.Errorf("a later %s: %v, want broker.ErrUnclaimed", name, err)
			}
		}
		if _, err := s.other.Dial(within(t), id); !errors.Is(err, broker.ErrUnclaimed) {
			t.Errorf("a later dial: %v, want broker.ErrUnclaimed", err)
		}
		if _, err := lendNumbered(ctx, s.near); !errors.Is(err, context.Canceled) {
			t.Errorf("Lend with an ended context: %v", err)
		}
	})
}

// deafProbe has methods deaf to their contexts.
type deafProbe struct {
	probepb.UnimplementedProbeServiceServer

	entered, release chan struct{}
}

func (d *deafProbe) Hold(context.Context, *probepb.HoldRequest) (*probepb.HoldResponse, error) {
	d.entered <- struct{}{}
	<-d.release
	return &probepb.HoldResponse{}, nil
}

func (d *deafProbe) Count(*probepb.CountRequest, grpc.ServerStreamingServer[probepb.CountResponse]) error {
	d.entered <- struct{}{}
	<-d.release
	return nil
}

// gRPC's servers take no service more once they serve.
func TestServicesMayBeLentAtAnyTime(t *testing.T) {
	onBothOfOurs(t, func(t *testing.T, s side, connections func() int64) {
		first := lendNumbers(t, s, 2)
		expectAnswer(t, s.other, first[0])
		before := connections()
		ids := make([]uint32, 3)
		for i := range ids {
			var err error
			ids[i], err = transportgrpc.Lend[probepb.ProbeServiceServer](within(t), s.near,
				func(r grpc.ServiceRegistrar, impl probepb.ProbeServiceServer) {
					probepb.RegisterProbeServiceServer(r, impl)
					probepb.RegisterQuestionServiceServer(r, &numbered{data: "both"})
				}, &probeServer{impl: testProbe{}})
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, id := range ids {
			conn, err := s.other.Client(within(t), id)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := probepb.NewProbeServiceClient(conn).Echo(within(t), &probepb.EchoRequest{}); err != nil {
				t.Error(err)
			}
			res, err := probepb.NewQuestionServiceClient(conn).Answer(within(t), &probepb.AnswerRequest{})
			if err != nil || res.GetAnswer() != "both" {
				t.Errorf("the second service of a reference: %v, %v", res, err)
			}
		}
		expectAnswer(t, s.other, first[1])
		expectAnswer(t, s.other, lendNumbers(t, s, 1)[0])
		if n := connections() - before; n != 1 {
			t.Errorf("the second service made %d connections, want 1", n)
		}
		client, err := transportgrpc.Borrow(within(t), s.other, first[0], probepb.NewProbeServiceClient)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Echo(within(t), &probepb.EchoRequest{}); status.Code(err) != codes.Unimplemented {
			t.Errorf("a service that was not lent with the reference: %v", err)
		}
	})
}

func TestSecondServiceOfANameIsLentToo(t *testing.T) {
	onBothOfOurs(t, func(t *testing.T, s side, _ func() int64) {
		first := lendNumbers(t, s, 1)[0]
		desc := probepb.QuestionService_ServiceDesc
		id, err := transportgrpc.Lend(within(t), s.near, func(r grpc.ServiceRegistrar, impl *numbered) {
			r.RegisterService(&desc, impl)
		}, &numbered{data: "another"})
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := askNumber(within(t), s.other, id); err != nil || answer != "another" {
			t.Errorf("got %q, %v", answer, err)
		}
		expectAnswer(t, s.other, first)
	})
}

// A reference is metadata: a lent service may pass its caller's metadata on.
func TestReferenceReplacesTheCallersMetadata(t *testing.T) {
	onBothOfOurs(t, func(t *testing.T, s side, _ func() int64) {
		ids := lendNumbers(t, s, 2)
		for _, stray := range []string{"2147483650", "0", "x", "99999999999999999999", ""} {
			ctx := metadata.AppendToOutgoingContext(within(t), "jackfield-reference", stray, "jackfield-reference", "1")
			for _, id := range ids {
				client, err := transportgrpc.Borrow(within(t), s.other, id, probepb.NewQuestionServiceClient)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := client.Answer(ctx, &probepb.AnswerRequest{}); err != nil {
					t.Errorf("%q: %v", stray, err)
				}
			}
		}
	})
}

func TestUnknownReferencesAreUnclaimed(t *testing.T) {
	onBothOfOurs(t, func(t *testing.T, s side, _ func() int64) {
		id := lendNumbers(t, s, 1)[0]
		for _, unknown := range []uint32{id + 1000, 1 << 31, 1<<31 | 1} {
			client, err := transportgrpc.Borrow(within(t), s.other, unknown, probepb.NewQuestionServiceClient)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.Answer(within(t), &probepb.AnswerRequest{}); !errors.Is(err, broker.ErrUnclaimed) {
				t.Errorf("ID %d: %v, want broker.ErrUnclaimed", unknown, err)
			}
		}
		expectAnswer(t, s.other, id)
	})
}

func TestSharedConnectionIsMadeAgainAfterALoss(t *testing.T) {
	inEach(t, []mode{{}, {secure: true}}, func(t *testing.T, m mode) {
		var wires breaker
		r := rigUp(t, setup{mode: m})
		h := r.connectWith(t, func(link *core.HostLink) {
			link.DialAddress = func(ctx context.Context, network, address string) (net.Conn, error) {
				kept := core.HostLink{Dial: func(ctx context.Context) (net.Conn, error) { return dialAddress(ctx, network, address) }}
				wires.keep(&kept)
				return kept.Dial(ctx)
			}
		})
		s := sides(r, h)[1]
		ids := lendNumbers(t, s, 2)
		for range 3 {
			for _, id := range ids {
				client, err := transportgrpc.Borrow(within(t), s.other, id, probepb.NewQuestionServiceClient)
				if err != nil {
					t.Fatal(err)
				}
				_, err = client.Answer(within(t), &probepb.AnswerRequest{})
				if err != nil && !errors.Is(err, core.ErrConnectionLost) { // gRPC may send it on the lost connection
					t.Error(err)
				}
				if _, err = client.Answer(within(t), &probepb.AnswerRequest{}, grpc.WaitForReady(true)); err != nil {
					t.Error(err)
				}
			}
			wires.cut(nil)
		}
	})
}

// A foreign plugin gets what go-plugin's hosts send: no metadata of ours.
func TestForeignSidesHearNothingOfLending(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		var seen atomic.Bool
		watch := func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			md, _ := metadata.FromIncomingContext(stream.Context())
			for key := range md {
				if strings.HasPrefix(key, "jackfield") {
					seen.Store(true)
				}
			}
			return handle(srv, stream)
		}
		r := rigUp(t, setup{mode: m, plugin: []transportgrpc.Option{transportgrpc.WithServerOptions(grpc.ChainStreamInterceptor(watch))}})
		h := r.connect(t)
		for _, s := range sides(r, h) {
			id := lendNumbers(t, s, 1)[0]
			expectAnswer(t, s.other, id)
			if (id < 1<<31) != m.foreign {
				t.Errorf("%s: the ID is %d", s.name, id)
			}
		}
		if seen.Load() == m.foreign {
			t.Errorf("metadata was sent: %v", seen.Load())
		}
		server, err := transportgrpc.New().NewServer(t.Context(), r.link(strings.NewReader(""), strings.NewReader("")))
		if err != nil {
			t.Fatal(err)
		}
		want := map[mode]string{
			{}: ",lending=1", {multiplexed: true}: "true,lending=1", {foreign: true}: "", {foreign: true, multiplexed: true}: "true",
		}[mode{multiplexed: m.multiplexed, foreign: m.foreign}]
		if got := strings.Join(server.Fields(), ","); got != want {
			t.Errorf("the fields are %q, want %q", got, want)
		}
		server.Close(t.Context())
	})
}

// The processes agree by the handshake line and the broker's stream.
func TestLendingsBetweenProcessesShareASocket(t *testing.T) {
	p := launch(t, "probe", host.Config{})
	before := socketFiles(t, p)
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	var ids []uint32
	for range 20 {
		id, err := lendNumbered(ctx, p.broker)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if n := socketFiles(t, p); n != before {
		t.Errorf("lending made %d sockets", n-before)
	}
	reached, err := p.probe.Reach(ctx, &probepb.ReachRequest{Ids: ids})
	expectNumbers(t, "the host's", ids, reached.GetAnswers(), err)
	if n := socketFiles(t, p); n != before+1 {
		t.Errorf("the calls made %d sockets, want 1", n-before)
	}
	promptly(t, "Close", p.Close)
}
