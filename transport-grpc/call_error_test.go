package transportgrpc_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
	"github.com/jackfield-go/jackfield/transport-grpc/internal/probepb"
)

// onEachConnection runs a test with a client of a plugin process over its main
// connection, and over a brokered one.
func onEachConnection(t *testing.T, test func(t *testing.T, p *process, client probepb.QuestionServiceClient)) {
	t.Helper()
	inEach(t, schemes, func(t *testing.T, m mode) {
		p := launch(t, "probe", host.Config{}, m.options()...)
		offered, err := p.probe.Offer(within(t), &probepb.OfferRequest{Count: 1})
		if err != nil {
			t.Fatal(err)
		}
		client, err := transportgrpc.Borrow(within(t), p.broker, offered.GetIds()[0], probepb.NewQuestionServiceClient)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Answer(within(t), &probepb.AnswerRequest{}); err != nil {
			t.Fatal(err)
		}
		test(t, p, client)
	})
}

// Each call says how the plugin ended: the one that ended it, those that were in
// flight, and those that come after.
func TestCallsThatFailWithThePluginSayHowItEnded(t *testing.T) {
	onEachConnection(t, func(t *testing.T, p *process, brokered probepb.QuestionServiceClient) {
		stream, err := p.probe.Count(within(t), &probepb.CountRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
		_, err = p.probe.Panic(within(t), &probepb.PanicRequest{Text: "the third shelf fell"})
		expectExit(t, "the call", err)
		for err = nil; err == nil; { // pending messages still come
			_, err = stream.Recv()
		}
		expectExit(t, "the stream", err)
		_, err = p.probe.Echo(within(t), &probepb.EchoRequest{})
		expectExit(t, "a later call", err)
		if stream, err = p.probe.Count(within(t), &probepb.CountRequest{}); err == nil {
			_, err = stream.Recv()
		}
		expectExit(t, "a later stream", err)
		_, err = brokered.Answer(within(t), &probepb.AnswerRequest{})
		expectExit(t, "a brokered call", err)
		expectExit(t, "Ping", errors.Unwrap(p.Ping(within(t))))
		if err := p.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

func expectExit(t *testing.T, what string, err error) {
	t.Helper()
	var exit *core.ExitError
	if !errors.As(err, &exit) || !errors.Is(err, core.ErrConnectionLost) {
		t.Errorf("%s: got %v, want a lost connection and a core.ExitError", what, err)
		return
	}
	if exit.Code != 2 || !strings.Contains(err.Error(), "panic: the third shelf fell") {
		t.Errorf("%s: got %v, want status 2 and the panic's head", what, err)
	}
	if !strings.HasPrefix(err.Error(), exit.Error()) {
		t.Errorf("%s: got %v, want the process's end first", what, err)
	}
	if code := status.Code(err); code != codes.Unavailable {
		t.Errorf("%s: the code is %v", what, code)
	}
	if s, _ := status.FromError(err); !strings.Contains(s.Message(), "panic: the third shelf fell") {
		t.Errorf("%s: the status does not say it: %v", what, s)
	}
}

func TestCallsAfterCloseSayThatItWasClosed(t *testing.T) {
	onEachConnection(t, func(t *testing.T, p *process, brokered probepb.QuestionServiceClient) {
		stream, err := p.probe.Count(within(t), &probepb.CountRequest{})
		if err != nil {
			t.Fatal(err)
		}
		blocked := async(func() error { _, err := p.probe.Block(within(t), &probepb.BlockRequest{}); return err })
		if err := p.Kill(within(t)); err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, err = stream.Recv()
		}
		calls := map[string]error{"a stream in flight": err, "a call in flight": receive(t, "the call in flight", blocked)}
		_, calls["a call"] = p.probe.Echo(within(t), &probepb.EchoRequest{})
		_, calls["a brokered call"] = brokered.Answer(within(t), &probepb.AnswerRequest{})
		if stream, err = p.probe.Count(within(t), &probepb.CountRequest{}); err == nil {
			_, err = stream.Recv()
		}
		calls["a stream"] = err
		for name, err := range calls {
			if !errors.Is(err, core.ErrClosed) {
				t.Errorf("%s returned %v, want core.ErrClosed", name, err)
			}
			if errors.Is(err, context.Canceled) || errors.As(err, new(*core.ExitError)) {
				t.Errorf("%s blames somebody else: %v", name, err)
			}
		}
	})
}

func TestContextsThatEndAreContextErrors(t *testing.T) {
	h := rigUp(t, setup{}).connect(t)
	ended := func() context.Context {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errExpected)
		return ctx
	}
	late, cancel := context.WithTimeout(t.Context(), 1)
	defer cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		want []error
		code codes.Code
	}{
		"canceled": {ended(), []error{context.Canceled, errExpected}, codes.Canceled},
		"late":     {late, []error{context.DeadlineExceeded}, codes.DeadlineExceeded},
	} {
		_, call := h.probe.Echo(c.ctx, &probepb.EchoRequest{})
		stream, streamed := h.probe.Count(c.ctx, &probepb.CountRequest{})
		if streamed == nil {
			_, streamed = stream.Recv()
		}
		for what, err := range map[string]error{"a call": call, "a stream": streamed, "Ping": h.Ping(c.ctx)} {
			for _, want := range c.want {
				if !errors.Is(err, want) || status.Code(err) != c.code {
					t.Errorf("%s, %s: got %v, want %v and code %v", name, what, err, want, c.code)
				}
			}
		}
	}
	ctx, end := context.WithCancelCause(t.Context())
	stream, err := h.probe.Count(ctx, &probepb.CountRequest{})
	if err != nil {
		t.Fatal(err)
	}
	end(errExpected)
	for err == nil {
		_, err = stream.Recv()
	}
	if !errors.Is(err, context.Canceled) || !errors.Is(err, errExpected) {
		t.Errorf("a stream in flight: got %v, want the context's error and cause", err)
	}
}

// failures are a service's own errors, to be passed unchanged.
type failures struct {
	probepb.UnimplementedProbeServiceServer
}

func (failures) Echo(_ context.Context, req *probepb.EchoRequest) (*probepb.EchoResponse, error) {
	return nil, status.Error(codeOf(string(req.GetData())), "as expected")
}

func (failures) Count(_ *probepb.CountRequest, stream grpc.ServerStreamingServer[probepb.CountResponse]) error {
	if err := stream.Send(&probepb.CountResponse{Number: 1}); err != nil {
		return err
	}
	return status.Error(codes.Canceled, "as expected")
}

func codeOf(name string) codes.Code {
	for code := range codes.Unauthenticated + 1 {
		if code.String() == name {
			return code
		}
	}
	return codes.Unknown
}

// lateContext is a context past its deadline, before its timer has run.
type lateContext struct {
	context.Context

	deadline time.Time
}

func (c lateContext) Deadline() (time.Time, bool) { return c.deadline, true }

// Both sides know the deadline, and the plugin may be the first to act on it.
func TestCallPastItsDeadlineIsAContextError(t *testing.T) {
	r := rigUp(t, setup{})
	h := r.connect(t)
	timer, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, errExpected)
	defer cancel()
	ctx := lateContext{Context: timer, deadline: time.Now()}
	_, err := h.probe.Block(ctx, &probepb.BlockRequest{})
	if status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("got the code %v", status.Code(err))
	}
	for _, want := range []error{context.DeadlineExceeded, errExpected} {
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v in it", err, want)
		}
	}
}

// The explanations are for lost connections and ended contexts alone.
func TestServiceErrorsAreUnchanged(t *testing.T) {
	h := rigUp(t, setup{register: func(_ *transportgrpc.Broker, r grpc.ServiceRegistrar) error {
		probepb.RegisterProbeServiceServer(r, failures{})
		return nil
	}}).connect(t)
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		_, err := h.probe.Echo(within(t), &probepb.EchoRequest{Data: []byte(code.String())})
		expectOwn(t, err, code)
	}
	stream, err := h.probe.Count(within(t), &probepb.CountRequest{})
	for err == nil {
		_, err = stream.Recv()
	}
	expectOwn(t, err, codes.Canceled)
}

func expectOwn(t *testing.T, err error, code codes.Code) {
	t.Helper()
	if want := fmt.Sprintf("rpc error: code = %v desc = as expected", code); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	var explained *transportgrpc.CallError
	if errors.As(err, &explained) || errors.Is(err, context.Canceled) || errors.Is(err, core.ErrConnectionLost) {
		t.Errorf("it was explained: %v", err)
	}
}

func TestUnknownServiceIsExplained(t *testing.T) {
	inEach(t, schemes, func(t *testing.T, m mode) {
		h := rigUp(t, setup{mode: m}).connectWith(t, func(link *core.HostLink) { link.Version = 2 })
		err := h.conn.Invoke(within(t), "/notely.v2.NoteService/List", new(probepb.EchoRequest), new(probepb.EchoResponse))
		for _, want := range []string{"unknown service notely.v2.NoteService", "under version 2", "install a release", ".proto"} {
			if !strings.Contains(err.Error(), want) && !strings.Contains(core.Hint(err), want) {
				t.Errorf("got %v, want %q in it", err, want)
			}
		}
		if code := status.Code(err); code != codes.Unimplemented {
			t.Errorf("the code is %v", code)
		}
	})
}
