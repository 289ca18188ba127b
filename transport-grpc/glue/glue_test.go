package glue_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	spb "google.golang.org/genproto/googleapis/rpc/status"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/transport-grpc/glue"
	"github.com/jackfield-go/jackfield/transport-grpc/glue/gluetest"
	kindsv1 "github.com/jackfield-go/jackfield/transport-grpc/internal/kindspb/v1"
	kindsv2 "github.com/jackfield-go/jackfield/transport-grpc/internal/kindspb/v2"
)

func TestUnaryCarriesEveryField(t *testing.T) {
	fields := &kindsv1.Fields{
		Bool: true, Bytes: []byte{0, 1}, Double: 1.5, Float: 2.5, Int32: -1, Int64: -2, Uint32: 3, Uint64: 4,
		Sint32: -5, Sint64: -6, Fixed32: 7, Fixed64: 8, Sfixed32: -9, Sfixed64: -10, String_: "text", Maybe: proto.String(""),
		Many: []string{"a", "b"}, Map: map[string]*kindsv1.Fields{"in": {Uint32: 1}}, Enum: kindsv1.KindError_KIND_ERROR_REFUSED,
		One: &kindsv1.Fields_Number{Number: 11}, Time: timestamppb.New(timestamppb.Now().AsTime()),
	}
	overBoth(t, func(t *testing.T, client kindsv1.KindService) {
		resp, err := client.Echo(t.Context(), &kindsv1.EchoRequest{Fields: fields})
		if err != nil || !proto.Equal(resp.GetFields(), fields) {
			t.Errorf("got %v, %v", resp, err)
		}
		if _, err := client.Old(t.Context(), nil); err != nil { //nolint:staticcheck // it is called to be deprecated
			t.Errorf("a nil request: %v", err)
		}
	})
}

func TestStreamOfResponses(t *testing.T) {
	overBoth(t, func(t *testing.T, client kindsv1.KindService) {
		for _, test := range []struct {
			limit, failAfter uint32
			want             string
		}{
			{limit: 3, want: "1 2 3"},
			{want: "1 2 3 4 5"}, // the loop ends
			{limit: 4, failAfter: 2, want: "1 2 after 2: not there"},
			{limit: 13, want: "rpc error: code = Internal desc = the implementation returned a nil sequence"},
		} {
			got := collect(client.Count(t.Context(), &kindsv1.CountRequest{Limit: test.limit, FailAfter: test.failAfter}),
				func(resp *kindsv1.CountResponse) any { return resp.GetNumber() }, 5)
			if got != test.want {
				t.Errorf("%d, %d: got %q, want %q", test.limit, test.failAfter, got, test.want)
			}
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		for resp, err := range client.Count(ctx, &kindsv1.CountRequest{}) {
			switch {
			case resp.GetNumber() == 2:
				cancel(errors.New("enough"))
			case err != nil && (!errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "enough")):
				t.Errorf("the end of the context: %v", err)
			}
		}
	})
}

func TestStreamOfRequests(t *testing.T) {
	overBoth(t, func(t *testing.T, client kindsv1.KindService) {
		request := func(n uint32) *kindsv1.SumRequest { return &kindsv1.SumRequest{Number: n} }
		if resp, err := client.Sum(t.Context(), sequence(nil, request, 1, 2, 3)); err != nil || resp.GetSum() != 6 {
			t.Errorf("got %v, %v", resp, err)
		}
		if resp, err := client.Sum(t.Context(), nil); err != nil || resp.GetSum() != 0 {
			t.Errorf("without requests: got %v, %v", resp, err)
		}
		own := errors.New("the caller's own")
		if _, err := client.Sum(t.Context(), sequence(own, request, 1)); !errors.Is(err, own) {
			t.Errorf("a failed sequence: %v", err)
		}
		endless := func(yield func(*kindsv1.SumRequest, error) bool) {
			for yield(request(0), nil) {
			}
		}
		if _, err := client.Sum(t.Context(), endless); !errors.Is(err, kindsv1.ErrRefused) || err.Error() != "refused: zero" {
			t.Errorf("an early end: %v", err)
		}
	})
}

func TestStreamsBothWays(t *testing.T) {
	overBoth(t, func(t *testing.T, client kindsv1.KindService) {
		request := func(n uint32) *kindsv1.DoubleRequest { return &kindsv1.DoubleRequest{Number: n} }
		number := func(resp *kindsv1.DoubleResponse) any { return resp.GetNumber() }
		if got := collect(client.Double(t.Context(), sequence(nil, request, 1, 2, 3)), number, 5); got != "2 4 6" {
			t.Errorf("got %s", got)
		}
		own := errors.New("the caller's own")
		if got := collect(client.Double(t.Context(), sequence(own, request)), number, 5); got != own.Error() {
			t.Errorf("a failed sequence: %s", got)
		}
		// Each request depends on the last response.
		next := make(chan uint32, 1)
		next <- 1
		turns := func(yield func(*kindsv1.DoubleRequest, error) bool) {
			for n := range next {
				if !yield(request(n), nil) {
					return
				}
			}
		}
		var got uint64
		for resp, err := range client.Double(t.Context(), turns) {
			if err != nil {
				t.Fatal(err)
			}
			got = resp.GetNumber()
			if got == 32 {
				break
			}
			next <- uint32(got)
		}
		close(next)
		if got != 32 {
			t.Errorf("the last response is %d", got)
		}
	})
}

func TestErrorsKeepTheirTextAndMeaning(t *testing.T) {
	overBoth(t, func(t *testing.T, client kindsv1.KindService) {
		for _, test := range []struct {
			question, text string
			code           codes.Code
			is             []error
		}{
			{"plain", "it did not work", codes.Unknown, nil},
			{"status", "rpc error: code = NotFound desc = no such thing", codes.NotFound, nil},
			{"both", "rpc error: code = NotFound desc = gone\nrefused\nnot there", codes.PermissionDenied,
				[]error{kindsv1.ErrRefused, kindsv1.ErrNotThere}},
			{"answer", "ask: host: refused", codes.PermissionDenied, []error{kindsv1.ErrRefused}},
		} {
			answerer := &kindsv1.FakeAnswerService{AnswerFunc: func(context.Context, *kindsv1.AnswerRequest) (*kindsv1.AnswerResponse, error) {
				return nil, fmt.Errorf("host: %w", kindsv1.ErrRefused)
			}}
			_, err := client.Ask(t.Context(), &kindsv1.AskRequest{Question: test.question}, answerer)
			if err == nil || err.Error() != test.text || status.Code(err) != test.code {
				t.Errorf("%s: got %v (%v)", test.question, err, status.Code(err))
			}
			for _, sentinel := range []error{kindsv1.ErrRefused, kindsv1.ErrNotThere} {
				want := false
				for _, is := range test.is {
					want = want || is == sentinel
				}
				if errors.Is(err, sentinel) != want {
					t.Errorf("%s: errors.Is(err, %v) is %v", test.question, sentinel, !want)
				}
			}
		}
	})
}

func TestServicesAreLent(t *testing.T) {
	answerer := &kindsv1.FakeAnswerService{AnswerFunc: func(_ context.Context, req *kindsv1.AnswerRequest) (*kindsv1.AnswerResponse, error) {
		return &kindsv1.AnswerResponse{Answer: req.GetQuestion() + "!"}, nil
	}}
	overBoth(t, func(t *testing.T, client kindsv1.KindService) {
		req := &kindsv1.AskRequest{Question: "why"}
		if resp, err := client.Ask(t.Context(), req, answerer); err != nil || resp.GetAnswer() != "why!" {
			t.Errorf("got %v, %v", resp, err)
		}
		if req.GetAnswererId() != 0 {
			t.Error("the caller's request was changed")
		}
		if resp, err := client.Ask(t.Context(), nil, nil); err != nil || resp.GetAnswer() != "nobody" {
			t.Errorf("nothing lent: got %v, %v", resp, err)
		}
		got := collect(client.Tell(t.Context(), &kindsv1.TellRequest{Questions: []string{"a", "b"}}, answerer),
			func(resp *kindsv1.TellResponse) any { return resp.GetAnswer() }, 5)
		if got != "a! b!" {
			t.Errorf("got %s", got)
		}
	})
}

func TestPluginsCallTheServicesOfTheirHost(t *testing.T) {
	overBoth(t, func(t *testing.T, client kindsv1.KindService) {
		for range 2 {
			resp, err := client.Ask(t.Context(), &kindsv1.AskRequest{Question: "host:all"}, nil)
			if err != nil || resp.GetAnswer() != "the host on all" {
				t.Errorf("got %v, %v", resp, err)
			}
		}
		if _, err := client.Ask(t.Context(), &kindsv1.AskRequest{Question: "host:"}, nil); !errors.Is(err, kindsv1.ErrRefused) {
			t.Errorf("a named error of the host: %v", err)
		}
	})
	req := &kindsv1.AskRequest{Question: "host:all"}
	nobody := gluetest.Open(t, kindsv1.KindServicePlugin, kindsv1.KindServiceVersions(), kindsv1.KindService(&hosted{}))
	if _, err := nobody.Ask(t.Context(), req, nil); status.Code(err) != codes.Unimplemented {
		t.Errorf("a host without services: %v", err)
	}
	if _, err := new(hosted).Ask(t.Context(), req, nil); err == nil || !strings.Contains(err.Error(), "bind a pointer") {
		t.Errorf("an implementation without its plugin: %v", err)
	}
	_, _, err := kindsv1.OpenKindService(t.Context(), host.Config{Versions: kindsv1.KindServiceVersions().Core()}, hostServices)
	if err == nil || !strings.Contains(err.Error(), "cfg.Versions") {
		t.Errorf("two sources of versions: %v", err)
	}
}

func TestReadersAndWritersAreLent(t *testing.T) {
	overBoth(t, func(t *testing.T, client kindsv1.KindService) {
		var out bytes.Buffer
		text := strings.Repeat("some text. ", 10_000)
		resp, err := client.Pipe(t.Context(), &kindsv1.PipeRequest{}, strings.NewReader(text), &out)
		if err != nil || out.String() != strings.ToUpper(text) || resp.GetSize() != uint64(len(text)) {
			t.Errorf("got %d bytes, %v, %v", out.Len(), resp, err)
		}
		if _, err := client.Pipe(t.Context(), &kindsv1.PipeRequest{}, nil, nil); !errors.Is(err, kindsv1.ErrNotThere) {
			t.Errorf("nothing lent: %v", err)
		}
		if _, err := client.Pipe(t.Context(), nil, strings.NewReader(text), full{}); err == nil || !strings.Contains(err.Error(), errFull.Error()) {
			t.Errorf("a writer that fails: %v", err)
		}
	})
}

var errFull = errors.New("the disk is full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestLendFailsWithoutABroker(t *testing.T) {
	client, err := kindsv1.NewKindService(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Ask(t.Context(), nil, &kindsv1.FakeAnswerService{}); err == nil || !strings.Contains(err.Error(), "without a broker") {
		t.Errorf("got %v", err)
	}
}

func TestVersionsJoin(t *testing.T) {
	// The application uses the interface of version 1; a plugin or host may have version 2.
	versions := kindsv1.KindServiceVersions().With(kindsv2.KindServiceVersionsOf(kindsv1.KindServicePlugin,
		func(impl kindsv1.KindService) kindsv2.KindService { return down{impl} },
		func(client kindsv2.KindService) kindsv1.KindService { return up{&kindsv1.FakeKindService{}, client} }))
	if numbers := versions.Core().Numbers(); len(numbers) != 2 {
		t.Fatalf("got versions %v", numbers)
	}
	for _, number := range []int{1, 2} {
		client := gluetest.Open(t, kindsv1.KindServicePlugin, versions.Only(number), kindsv1.KindService(&hosted{}), hostServices.Option())
		hosts, err := client.Ask(t.Context(), &kindsv1.AskRequest{Question: "host:both"}, nil)
		if err != nil || hosts.GetAnswer() != "the host on both" {
			t.Errorf("version %d: a service of the host: %v, %v", number, hosts, err)
		}
		resp, err := client.Ask(t.Context(), &kindsv1.AskRequest{}, nil)
		if err != nil || resp.GetAnswer() != "nobody" {
			t.Errorf("version %d: got %v, %v", number, resp, err)
		}
		_, err = client.Old(t.Context(), nil) //nolint:staticcheck // the same
		if errors.Is(err, glue.ErrNotFaked) != (number == 2) {
			t.Errorf("version %d has another interface: %v", number, err)
		}
	}
}

type down struct{ kindsv1.KindService }

func (d down) Ask(ctx context.Context, req *kindsv2.AskRequest, answerer kindsv1.AnswerService) (*kindsv2.AskResponse, error) {
	resp, err := d.KindService.Ask(ctx, &kindsv1.AskRequest{Question: req.GetQuestion()}, answerer)
	return &kindsv2.AskResponse{Answer: proto.String(resp.GetAnswer())}, err
}

type up struct {
	*kindsv1.FakeKindService

	client kindsv2.KindService
}

func (u up) Ask(ctx context.Context, req *kindsv1.AskRequest, answerer kindsv1.AnswerService) (*kindsv1.AskResponse, error) {
	resp, err := u.client.Ask(ctx, &kindsv2.AskRequest{Question: proto.String(req.GetQuestion())}, answerer)
	return &kindsv1.AskResponse{Answer: resp.GetAnswer()}, err
}

func TestFakeFailsWithoutItsFunction(t *testing.T) {
	fake := &kindsv1.FakeKindService{}
	if _, err := fake.Old(t.Context(), nil); !errors.Is(err, glue.ErrNotFaked) || !strings.HasPrefix(err.Error(), "KindService.Old: ") {
		t.Errorf("got %v", err)
	}
	for _, err := range fake.Count(t.Context(), nil) {
		if !errors.Is(err, glue.ErrNotFaked) {
			t.Errorf("got %v", err)
		}
	}
}

func TestFromStatusTakesAnyStatus(t *testing.T) {
	info, err := anypb.New(&errdetails.ErrorInfo{Domain: "jackfield.kinds.v1.KindError", Reason: "KIND_ERROR_REFUSED"})
	if err != nil {
		t.Fatal(err)
	}
	details := []*anypb.Any{nil, {}, {TypeUrl: info.GetTypeUrl(), Value: []byte{0xff}}, {TypeUrl: "/"}}
	for range 100 {
		details = append(details, info)
	}
	got := glue.FromStatus(status.FromProto(&spb.Status{Code: 9999, Message: "\xff", Details: details}).Err())
	if !errors.Is(got, kindsv1.ErrRefused) || status.Code(got) != 9999 {
		t.Errorf("got %v", got)
	}
	var sent *glue.Error
	if !errors.As(got, &sent) || len(sent.Unwrap()) > 16 {
		t.Errorf("got %#v", got)
	}
	if glue.FromStatus(nil) != nil || glue.ToStatus(nil) != nil {
		t.Error("nil became an error")
	}
}

// sequence yields a request for each number, and then end unless it is nil.
func sequence[T any](end error, request func(uint32) *T, numbers ...uint32) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for _, n := range numbers {
			if !yield(request(n), nil) {
				return
			}
		}
		if end != nil {
			yield(nil, end)
		}
	}
}

// collect returns the first values of a sequence, and its error.
func collect[T any](messages iter.Seq2[*T, error], value func(*T) any, most int) string {
	var got []string
	for message, err := range messages {
		if err != nil {
			got = append(got, err.Error())
			continue
		}
		got = append(got, fmt.Sprint(value(message)))
		if len(got) == most {
			break
		}
	}
	return strings.Join(got, " ")
}
