package transportgrpc_test

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/jackfield-go/jackfield/broker/exchange"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/proto/pluginpb"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// answering accepts connections and does something to each.
func answering(t *testing.T, answer func(conn net.Conn)) (address string) {
	t.Helper()
	listener, err := newSockets(t).listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			running.Go(func() { answer(conn) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		mu.Lock()
		for _, conn := range conns {
			conn.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return listener.AnnounceAddress
}

// The plugin announced gRPC and speaks something else: Dial fails, says so, and
// leaves nothing.
func TestHostRefusesAPluginOfAnotherProtocol(t *testing.T) {
	answers := map[string]func(net.Conn){
		"nothing and leaves": func(conn net.Conn) { conn.Close() },
	}
	for name, text := range nonsense {
		answers[name] = func(conn net.Conn) {
			// As much as any of the protocols waits for before it looks.
			_, _ = io.WriteString(conn, text+strings.Repeat("\x00", 512))
			_, _ = io.Copy(io.Discard, conn)
		}
	}
	inEach(t, modes, func(t *testing.T, m mode) {
		for name, answer := range answers {
			if m.multiplexed && name == "yamux" {
				continue
			}
			t.Run(name, func(t *testing.T) {
				plugintest.NoLeaks(t)
				address := answering(t, answer)
				_, err := m.dial(t, newSockets(t), address, nil)
				if err == nil || errors.Is(err, context.DeadlineExceeded) {
					t.Fatalf("got %v, want an error that comes soon", err)
				}
			})
		}
	})
}

func TestDialWaitsForASilentPluginUntilItsContextEnds(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		plugintest.NoLeaks(t)
		reached := make(chan struct{}, 16)
		address := answering(t, func(conn net.Conn) {
			_, _ = io.ReadFull(conn, make([]byte, 1))
			reached <- struct{}{}
			_, _ = io.Copy(io.Discard, conn)
		})
		ctx, cancel := context.WithCancelCause(t.Context())
		var opts []transportgrpc.Option
		fields := []string(nil)
		if m.multiplexed {
			opts, fields = m.options(), []string{"true"}
		}
		dialling := async(func() error {
			_, err := transportgrpc.New(append(opts, handles)...).Dial(ctx, core.HostLink{
				ConnectionTimeout: core.DefaultConnectionTimeout,
				Logger:            newLog().logger(0), TLS: m.tls(), Fields: fields,
				Dial:    func(ctx context.Context) (net.Conn, error) { return dialAddress(ctx, "unix", address) },
				Explain: func(_ context.Context, err error) error { return err },
			})
			return err
		})
		receive(t, "the host's first byte", reached)
		cancel(errExpected)
		if err := receive(t, "Dial", dialling); !errors.Is(err, errExpected) {
			t.Errorf("got %v, want the context's cause", err)
		}
	})
}

func TestMultiplexingHostRefusesAPluginWithoutIt(t *testing.T) {
	for name, fields := range map[string][]string{
		"no field": nil, "an empty one": {""}, "false": {"false"}, "nonsense": {"perhaps"},
	} {
		_, err := mode{multiplexed: true}.dial(t, newSockets(t), "", func(link *core.HostLink) {
			link.Fields = fields
			link.Dial = func(context.Context) (net.Conn, error) { return nil, errors.New("it was dialled") }
		})
		var refused *transportgrpc.MultiplexError
		if !errors.As(err, &refused) || refused.Plugin != "plugin" || len(fields) > 0 && refused.Field != fields[0] {
			t.Errorf("%s: got %v, want a MultiplexError", name, err)
		}
	}
}

// broken is a plugin's broker sending the messages of a test.
type broken struct {
	pluginpb.UnimplementedGRPCBrokerServer

	infos []*pluginpb.ConnInfo
	end   error // after them; nil: the stream stays
}

func (b *broken) StartStream(stream grpc.BidiStreamingServer[pluginpb.ConnInfo, pluginpb.ConnInfo]) error {
	for _, info := range b.infos {
		if err := stream.Send(info); err != nil {
			return err
		}
	}
	if b.end != nil {
		return b.end
	}
	<-stream.Context().Done()
	return nil
}

// brokenHost connects a host to a plugin with a broken broker.
func brokenHost(t *testing.T, b *broken, change func(*core.HostLink)) *testHost {
	t.Helper()
	plugintest.NoLeaks(t)
	address := fakePlugin(t, func(s *grpc.Server) { pluginpb.RegisterGRPCBrokerServer(s, b) })
	h, err := mode{}.dial(t, newSockets(t), address, change)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestBadOffersFailTheirDialAlone(t *testing.T) {
	foreign := &core.AddressError{Network: "tcp", Address: "192.0.2.1:80", Reason: "foreign"}
	for name, c := range map[string]struct {
		info *pluginpb.ConnInfo
		want any // for errors.As
	}{
		"a foreign address":    {&pluginpb.ConnInfo{Network: "tcp", Address: "192.0.2.1:80"}, new(*core.AddressError)},
		"an unknown network":   {&pluginpb.ConnInfo{Network: "ip", Address: "x"}, new(*exchange.OfferError)},
		"no address":           {&pluginpb.ConnInfo{Network: "unix"}, new(*exchange.OfferError)},
		"a long address":       {&pluginpb.ConnInfo{Network: "unix", Address: strings.Repeat("x", 5000)}, new(*exchange.OfferError)},
		"a zero byte":          {&pluginpb.ConnInfo{Network: "unix", Address: "/tmp/\x00"}, new(*exchange.OfferError)},
		"nobody listens there": {&pluginpb.ConnInfo{Network: "unix", Address: "/nonexistent/socket"}, new(*net.OpError)},
	} {
		t.Run(name, func(t *testing.T) {
			c.info.ServiceId = 7
			h := brokenHost(t, &broken{infos: []*pluginpb.ConnInfo{c.info}}, func(link *core.HostLink) {
				link.DialAddress = func(ctx context.Context, network, address string) (net.Conn, error) {
					if network == "tcp" {
						return nil, foreign
					}
					return dialAddress(ctx, network, address)
				}
			})
			if _, err := h.broker.Client(within(t), 7); !errors.As(err, c.want) || len(err.Error()) > 2000 {
				t.Errorf("got %v, want a %T", err, c.want)
			}
			if err := h.Ping(within(t)); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// wrongKnocks are useless on a plain connection, with an ID without end.
func TestKnocksOnAPlainConnectionAreLoggedAndIgnored(t *testing.T) {
	var infos []*pluginpb.ConnInfo
	for i := range uint32(1000) {
		infos = append(infos, &pluginpb.ConnInfo{ServiceId: i, Knock: &pluginpb.ConnInfo_Knock{Knock: i%2 == 0, Ack: i%3 == 0}})
	}
	infos = append(infos, &pluginpb.ConnInfo{ServiceId: 7, Network: "unix", Address: "/nonexistent/socket"})
	h := brokenHost(t, &broken{infos: infos}, nil)
	if _, err := h.broker.Client(within(t), 7); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the offer after the knocks: %v", err)
	}
	if n := strings.Count(h.log.String(), "level=WARN"); n == 0 || n > 100 {
		t.Errorf("%d warnings about 1000 knocks", n)
	}
}

func TestHugeOfferEndsTheBrokerAndNothingElse(t *testing.T) {
	h := brokenHost(t, &broken{infos: []*pluginpb.ConnInfo{{ServiceId: 7, Network: "unix", Address: strings.Repeat("x", 1<<20)}}}, nil)
	if _, err := h.broker.Client(within(t), 7); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want an error that says that the broker has ended", err)
	}
	if err := h.Ping(within(t)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestBrokerStreamEndFailsWaitingCalls(t *testing.T) {
	h := brokenHost(t, &broken{end: errExpected}, nil)
	if _, err := h.broker.Client(within(t), 7); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := h.Ping(within(t)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// printing is a plugin's stdio sending the output of a test.
type printing struct {
	pluginpb.UnimplementedGRPCStdioServer

	output func(send func(*pluginpb.StdioData) error) error
}

func (p printing) StreamStdio(_ *emptypb.Empty, stream grpc.ServerStreamingServer[pluginpb.StdioData]) error {
	return p.output(stream.Send)
}

func printingHost(t *testing.T, output func(send func(*pluginpb.StdioData) error) error, change func(*core.HostLink)) *testHost {
	t.Helper()
	plugintest.NoLeaks(t)
	address := fakePlugin(t, func(s *grpc.Server) { pluginpb.RegisterGRPCStdioServer(s, printing{output: output}) })
	h, err := mode{}.dial(t, newSockets(t), address, change)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestOutputOfAnUnknownKindIsLoggedOnceAndDropped(t *testing.T) {
	h := printingHost(t, func(send func(*pluginpb.StdioData) error) error {
		for i := range int32(100) {
			for _, channel := range []pluginpb.StdioData_Channel{pluginpb.StdioData_INVALID, 3, -1, pluginpb.StdioData_Channel(i + 10)} {
				if err := send(&pluginpb.StdioData{Channel: channel, Data: []byte("x")}); err != nil {
					return err
				}
			}
		}
		return send(&pluginpb.StdioData{Channel: pluginpb.StdioData_STDERR, Data: []byte("known")})
	}, nil)
	h.stderr.wait(t, "known")
	if got := h.stdout.String() + h.stderr.String(); got != "known" {
		t.Errorf("printed: %q", got)
	}
	if n := strings.Count(h.log.String(), "level=WARN"); n != 1 {
		t.Errorf("%d warnings, want one:\n%s", n, h.log)
	}
}

// slow is a sink without progress until a signal.
type slow struct {
	begin chan struct{}
	taken atomic.Int64
}

func (s *slow) Write(p []byte) (int, error) {
	<-s.begin
	s.taken.Add(int64(len(p)))
	return len(p), nil
}

// The plugin is held up while the sink is: the host keeps no more than gRPC's window.
func TestFloodOfOutputIsBoundedByTheSink(t *testing.T) {
	const flood, bound = 256 << 20, 16 << 20
	sink := &slow{begin: make(chan struct{})}
	var sent atomic.Int64
	chunk := make([]byte, 256<<10)
	h := printingHost(t, func(send func(*pluginpb.StdioData) error) error {
		for sent.Load() < flood {
			if err := send(&pluginpb.StdioData{Channel: pluginpb.StdioData_STDOUT, Data: chunk}); err != nil {
				return err
			}
			sent.Add(int64(len(chunk)))
		}
		return nil
	}, func(link *core.HostLink) { link.Stdout = sink })
	for last, same := int64(-1), 0; same < 1000; { // until nothing more is taken
		if err := h.Ping(within(t)); err != nil {
			t.Fatal(err)
		}
		now := sent.Load()
		if now == last {
			same++
		} else {
			last, same = now, 0
		}
		runtime.Gosched()
	}
	if n := sent.Load(); n > bound {
		t.Errorf("%d bytes went to a host whose sink takes nothing", n)
	}
	close(sink.begin)
	for ctx := within(t); sink.taken.Load() < flood; {
		if err := h.Ping(ctx); err != nil {
			t.Fatalf("%d bytes came: %v", sink.taken.Load(), err)
		}
	}
}

func TestMessageOfTooMuchOutputIsRefused(t *testing.T) {
	h := printingHost(t, func(send func(*pluginpb.StdioData) error) error {
		return send(&pluginpb.StdioData{Channel: pluginpb.StdioData_STDOUT, Data: make([]byte, 64<<20)})
	}, nil)
	h.log.wait(t, "output")
	if err := h.Ping(within(t)); err != nil {
		t.Error(err)
	}
	if h.stdout.String() != "" {
		t.Error("it was printed")
	}
}

// failing is a sink with an error, short a sink against io.Writer's rule.
type (
	failing struct{ calls atomic.Int64 }
	short   struct{ failing }
)

func (f *failing) Write([]byte) (int, error) { f.calls.Add(1); return 0, errExpected }

func (s *short) Write(p []byte) (int, error) { s.calls.Add(1); return len(p) / 2, nil }

func TestFailedSinkDoesNotStopThePlugin(t *testing.T) {
	for name, sink := range map[string]io.Writer{"with an error": new(failing), "in silence": new(short)} {
		t.Run(name, func(t *testing.T) {
			r := rigUp(t, setup{})
			h := r.connectWith(t, func(link *core.HostLink) { link.Stdout = sink })
			printed := async(func() error { _, err := r.stdout.Write(make([]byte, 8<<20)); return err })
			if err := receive(t, "the print", printed); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(r.stderr, "still there\n"); err != nil {
				t.Fatal(err)
			}
			h.stderr.wait(t, "still there\n")
			h.echoes(t)
			promptly(t, "Quit", func() error { return h.Quit(within(t)) })
			if n := strings.Count(h.log.String(), "level=WARN"); n != 1 || !strings.Contains(h.log.String(), "stream=stdout") {
				t.Errorf("%d warnings, want one, which names the stream:\n%s", n, h.log)
			}
		})
	}
}
