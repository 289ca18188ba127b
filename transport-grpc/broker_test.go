package transportgrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/broker/exchange"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
	"github.com/jackfield-go/jackfield/transport-grpc/internal/probepb"
)

// onBothSides runs a test for both directions of brokered connections, in every
// mode.
func onBothSides(t *testing.T, test func(t *testing.T, s side)) {
	inEach(t, modes, func(t *testing.T, m mode) {
		r := rigUp(t, setup{mode: m})
		h := r.connect(t)
		for _, s := range sides(r, h) {
			t.Run(s.name, func(t *testing.T) { test(t, s) })
		}
	})
}

// expectAnswer expects an answer from the server of id.
func expectAnswer(t *testing.T, b *transportgrpc.Broker, id uint32) {
	t.Helper()
	answer, err := askNumber(within(t), b, id)
	if err != nil || answer != fmt.Sprint("who? ", id) {
		t.Errorf("ID %d: got %q, %v", id, answer, err)
	}
}

func TestBrokerDialsAnIDLateAndOften(t *testing.T) {
	onBothSides(t, func(t *testing.T, s side) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var ids []uint32
		for range 5 {
			id, err := lendNumbered(ctx, s.near)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		for range 3 {
			for _, id := range ids {
				expectAnswer(t, s.other, id)
			}
		}
	})
}

func TestBrokerDialsAnIDBeforeItIsServed(t *testing.T) {
	onBothSides(t, func(t *testing.T, s side) {
		id := s.near.NextID()
		var early []<-chan error
		for range 4 {
			early = append(early, async(func() error {
				_, err := askNumber(within(t), s.other, id)
				return err
			}))
		}
		other, err := lendNumbered(within(t), s.near) // is not held up by it
		if err != nil {
			t.Fatal(err)
		}
		expectAnswer(t, s.other, other)
		ctx, cancel := context.WithCancel(t.Context())
		serving := async(func() error { return serveNumbered(ctx, s.near, id) })
		for _, c := range early {
			if err := receive(t, "an early dial", c); err != nil {
				t.Error(err)
			}
		}
		cancel()
		if err := receive(t, "Serve", serving); !errors.Is(err, context.Canceled) {
			t.Errorf("Serve returned %v, want context.Canceled", err)
		}
	})
}

func TestServeReturnsTheCauseOfItsContext(t *testing.T) {
	onBothSides(t, func(t *testing.T, s side) {
		ctx, cancel := context.WithCancelCause(t.Context())
		id := s.near.NextID()
		serving := async(func() error { return serveNumbered(ctx, s.near, id) })
		expectAnswer(t, s.other, id)
		cancel(errExpected)
		if err := receive(t, "Serve", serving); !errors.Is(err, errExpected) {
			t.Errorf("got %v, want the context's cause", err)
		}
		if err := serveNumbered(ctx, s.near, s.near.NextID()); !errors.Is(err, errExpected) {
			t.Errorf("with a context that has ended: got %v, want its cause", err)
		}
	})
}

func TestBrokerServeRefusesAnIDThatIsServed(t *testing.T) {
	onBothSides(t, func(t *testing.T, s side) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		id, err := lendNumbered(ctx, s.near)
		if err != nil {
			t.Fatal(err)
		}
		if err := serveNumbered(ctx, s.near, id); !errors.Is(err, exchange.ErrListening) {
			t.Errorf("got %v, want exchange.ErrListening", err)
		}
		expectAnswer(t, s.other, id)
	})
}

// A bad registration is an error, where gRPC ends the program.
func TestBrokerServeRefusesBadRegistrations(t *testing.T) {
	onBothSides(t, func(t *testing.T, s side) {
		for name, register := range badRegistrations {
			err := s.near.Serve(within(t), s.near.NextID(), register)
			if err == nil || !strings.Contains(err.Error(), "register") {
				t.Errorf("%s: got %v", name, err)
			}
		}
		for name, impl := range map[string]probepb.QuestionServiceServer{"nil": nil, "a nil pointer": (*numbered)(nil)} {
			if _, err := transportgrpc.Lend(within(t), s.near, probepb.RegisterQuestionServiceServer, impl); err == nil {
				t.Errorf("%s was lent", name)
			}
		}
	})
}

// badRegistrations are mistakes of plugin authors.
var badRegistrations = map[string]func(r grpc.ServiceRegistrar){
	"twice": func(r grpc.ServiceRegistrar) {
		probepb.RegisterQuestionServiceServer(r, new(numbered))
		probepb.RegisterQuestionServiceServer(r, new(numbered))
	},
	"nil":             func(r grpc.ServiceRegistrar) { probepb.RegisterQuestionServiceServer(r, nil) },
	"another type":    func(r grpc.ServiceRegistrar) { r.RegisterService(&probepb.QuestionService_ServiceDesc, 5) },
	"no description":  func(r grpc.ServiceRegistrar) { r.RegisterService(nil, new(numbered)) },
	"no handler type": func(r grpc.ServiceRegistrar) { r.RegisterService(&grpc.ServiceDesc{ServiceName: "x"}, 5) },
	"not an interface": func(r grpc.ServiceRegistrar) {
		r.RegisterService(&grpc.ServiceDesc{ServiceName: "x", HandlerType: 7}, 5)
	},
}

func TestPluginWithBadRegistrationsDoesNotStart(t *testing.T) {
	for name, register := range badRegistrations {
		t.Run(name, func(t *testing.T) {
			_, err := newRig(t, setup{register: func(_ *transportgrpc.Broker, r grpc.ServiceRegistrar) error {
				register(r)
				return nil
			}})
			if err == nil || !strings.Contains(err.Error(), `"it"`) {
				t.Errorf("got %v, want an error with the plugin's name", err)
			}
		})
	}
	_, err := newRig(t, setup{register: func(*transportgrpc.Broker, grpc.ServiceRegistrar) error { return errExpected }})
	if !errors.Is(err, errExpected) {
		t.Errorf("got %v, want the Server function's error", err)
	}
}

// What the listener was is known on a plain connection alone: multiplexed, a
// ID that nobody serves is one that may be served yet.
func TestBrokerIDIsUnclaimedAfterServe(t *testing.T) {
	inEach(t, []mode{{}, {secure: true}}, func(t *testing.T, m mode) {
		r := rigUp(t, setup{mode: m})
		h := r.connect(t)
		for _, s := range sides(r, h) {
			ctx, cancel := context.WithCancel(t.Context())
			id := s.near.NextID()
			serving := async(func() error { return serveNumbered(ctx, s.near, id) })
			expectAnswer(t, s.other, id)
			cancel()
			_ = receive(t, "Serve", serving)
			if _, err := s.other.Client(within(t), id); !errors.Is(err, broker.ErrUnclaimed) {
				t.Errorf("%s: got %v, want broker.ErrUnclaimed", s.name, err)
			}
		}
	})
}

func TestBrokerDialEndsWithItsContext(t *testing.T) {
	onBothSides(t, func(t *testing.T, s side) {
		ctx, cancel := context.WithCancelCause(t.Context())
		dialling := async(func() error { _, err := s.other.Client(ctx, 4711); return err })
		cancel(errExpected)
		if err := receive(t, "the dial", dialling); !errors.Is(err, errExpected) {
			t.Errorf("got %v, want the context's cause", err)
		}
	})
}

func TestBrokeredConnectionOutlivesItsDialContext(t *testing.T) {
	onBothSides(t, func(t *testing.T, s side) {
		id, err := lendNumbered(within(t), s.near)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		conn, err := s.other.Client(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		client := probepb.NewQuestionServiceClient(conn)
		if _, err := client.Answer(within(t), &probepb.AnswerRequest{}); err != nil {
			t.Error(err)
		}
		for range 2 {
			if err := conn.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		if _, err := client.Answer(within(t), &probepb.AnswerRequest{}); err == nil {
			t.Error("a call on a closed connection returned no error")
		}
	})
}

func TestBorrowedConnectionEndsWithItsContext(t *testing.T) {
	onBothSides(t, func(t *testing.T, s side) {
		id, err := lendNumbered(within(t), s.near)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		client, err := transportgrpc.Borrow(ctx, s.other, id, probepb.NewQuestionServiceClient)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Answer(within(t), &probepb.AnswerRequest{}); err != nil {
			t.Fatal(err)
		}
		cancel()
		for err == nil { // Close comes after the end of the context, not with it
			_, err = client.Answer(within(t), &probepb.AnswerRequest{})
		}
		if status.Code(err) == codes.DeadlineExceeded {
			t.Errorf("the connection was not closed: %v", err)
		}
		if _, err := transportgrpc.Borrow(within(t), s.other, 0, probepb.NewQuestionServiceClient); err == nil {
			t.Error("ID 0 was dialled")
		}
	})
}

func TestBrokeredConnectionCarriesAnyProtocol(t *testing.T) {
	onBothSides(t, func(t *testing.T, s side) {
		id := s.near.NextID()
		listener, err := s.near.Listen(within(t), id)
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		for range 3 {
			echoed := async(func() error {
				conn, err := listener.Accept()
				if err != nil {
					return err
				}
				defer conn.Close()
				_, err = io.CopyN(conn, conn, 5)
				return err
			})
			conn, err := s.other.Dial(within(t), id)
			if err != nil {
				t.Fatal(err)
			}
			text := make([]byte, 5)
			if _, err := conn.Write([]byte("hello")); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(conn, text); err != nil || string(text) != "hello" {
				t.Errorf("got %q, %v", text, err)
			}
			conn.Close()
			if err := receive(t, "the other end", echoed); err != nil {
				t.Error(err)
			}
		}
		listener.Close()
		if _, err := listener.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept on a closed listener: %v, want net.ErrClosed", err)
		}
	})
}

func TestAcceptTakesOneConnection(t *testing.T) {
	onBothSides(t, func(t *testing.T, s side) {
		id := s.near.NextID()
		for range 2 { // the ID is free again after each
			echoed := async(func() error {
				conn, err := s.near.Accept(within(t), id)
				if err != nil {
					return err
				}
				defer conn.Close()
				_, err = io.CopyN(conn, conn, 5)
				return err
			})
			conn := dialAgain(t, s.other, id)
			text := make([]byte, 5)
			if _, err := io.WriteString(conn, "hello"); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(conn, text); err != nil || string(text) != "hello" {
				t.Errorf("got %q, %v", text, err)
			}
			conn.Close()
			if err := receive(t, "the other end", echoed); err != nil {
				t.Error(err)
			}
		}
		ctx, cancel := context.WithCancelCause(within(t))
		abandoned := async(func() error { _, err := s.near.Accept(ctx, s.near.NextID()); return err })
		cancel(errExpected)
		if err := receive(t, "the abandoned Accept", abandoned); !errors.Is(err, errExpected) {
			t.Errorf("got %v, want the context's cause", err)
		}
	})
}

// dialAgain dials until there is somebody: the offer of an ID's last listener may be
// there still.
func dialAgain(t *testing.T, b *transportgrpc.Broker, id uint32) net.Conn {
	t.Helper()
	for {
		conn, err := b.Dial(within(t), id)
		if err == nil {
			return conn
		}
		if !errors.Is(err, broker.ErrUnclaimed) {
			t.Fatal(err)
		}
	}
}

func TestBrokerDialRetriesAfterALostConnection(t *testing.T) {
	onBothSides(t, func(t *testing.T, s side) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		id := s.near.NextID()
		inner, err := s.near.Listen(within(t), id)
		if err != nil {
			t.Fatal(err)
		}
		kept := &keptConns{Listener: inner}
		server := grpc.NewServer()
		probepb.RegisterQuestionServiceServer(server, &numbered{id: id})
		served := async(func() error { return server.Serve(kept) })
		conn, err := s.other.Client(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for range 3 {
			_, err := probepb.NewQuestionServiceClient(conn).
				Answer(within(t), &probepb.AnswerRequest{}, grpc.WaitForReady(true))
			if err != nil && status.Code(err) != codes.Unavailable { // the loss may be noticed in the call
				t.Error(err)
			}
			kept.closeAll()
		}
		server.Stop()
		_ = receive(t, "the server", served)
	})
}

// keptConns can lose its accepted connections.
type keptConns struct {
	net.Listener

	mu    sync.Mutex
	conns []net.Conn
}

func (l *keptConns) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.conns = append(l.conns, conn)
	}
	return conn, err
}

func (l *keptConns) closeAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range l.conns {
		conn.Close()
	}
	l.conns = nil
}

// gRPC bounds the time that it waits for a connection, and then waits before it
// tries again. A dial waits for the other side without gRPC.
func TestBrokerDialOutwaitsGRPCsTimeout(t *testing.T) {
	onBothSides(t, func(t *testing.T, s side) {
		impatient := grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{BaseDelay: 300 * time.Millisecond, Multiplier: 1000, MaxDelay: time.Hour},
		})
		id := s.near.NextID()
		asked := async(func() error {
			_, err := askNumber(within(t), s.other, id, impatient)
			return err
		})
		// The dial's own bound is its context alone.
		short, end := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer end()
		if _, err := s.other.Client(short, s.near.NextID(), impatient); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a dial of a number that nobody serves: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		serving := async(func() error { return serveNumbered(ctx, s.near, id) })
		if err := receive(t, "the call", asked); err != nil {
			t.Error(err)
		}
		cancel()
		receive(t, "Serve", serving)
	})
}
