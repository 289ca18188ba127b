package glue_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/transport-grpc/glue/gluetest"
	kindsv1 "github.com/jackfield-go/jackfield/transport-grpc/internal/kindspb/v1"
)

var handshake = core.Handshake{MagicCookieKey: "JACKFIELD_GLUE_PLUGIN", MagicCookieValue: "1e0c5a"}

// TestMain runs the test binary as a plugin if a host has started it.
func TestMain(m *testing.M) {
	if os.Getenv(handshake.MagicCookieKey) != "" {
		kindsv1.ServeKindService(handshake, &hosted{})
		return
	}
	os.Exit(m.Run())
}

// overBoth runs a test with a plugin in a process of its own, and in this process.
func overBoth(t *testing.T, test func(t *testing.T, client kindsv1.KindService)) {
	t.Run("process", func(t *testing.T) {
		plugintest.NoLeaks(t)
		program, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		client, process, err := kindsv1.OpenKindService(t.Context(),
			host.Config{Handshake: handshake, Command: host.Command(program), AutoMTLS: host.MTLSRequired}, hostServices)
		if err != nil {
			t.Fatal(err)
		}
		defer process.Close()
		test(t, client)
	})
	t.Run("plugintest", func(t *testing.T) {
		plugintest.NoLeaks(t)
		test(t, gluetest.Open(t, kindsv1.KindServicePlugin, kindsv1.KindServiceVersions(), kindsv1.KindService(&hosted{}), hostServices.Option()))
	})
}

// hostServices are offered by the hosts of the tests.
var hostServices = kindsv1.KindServiceHostServices{AnswerService: &kindsv1.FakeAnswerService{
	AnswerFunc: func(_ context.Context, req *kindsv1.AnswerRequest) (*kindsv1.AnswerResponse, error) {
		if req.GetQuestion() == "" {
			return nil, kindsv1.ErrRefused
		}
		return &kindsv1.AnswerResponse{Answer: "the host on " + req.GetQuestion()}, nil
	},
}}

// hosted calls a service of its host.
type hosted struct {
	kinds
	kindsv1.KindServiceHost
}

func (h *hosted) Ask(ctx context.Context, req *kindsv1.AskRequest, answerer kindsv1.AnswerService) (*kindsv1.AskResponse, error) {
	question, ok := strings.CutPrefix(req.GetQuestion(), "host:")
	if !ok {
		return h.kinds.Ask(ctx, req, answerer)
	}
	resp, err := h.AnswerService().Answer(ctx, &kindsv1.AnswerRequest{Question: question})
	if err != nil {
		return nil, err
	}
	return &kindsv1.AskResponse{Answer: resp.GetAnswer()}, nil
}

// kinds implements every kind of method.
type kinds struct{}

func (kinds) Echo(_ context.Context, req *kindsv1.EchoRequest) (*kindsv1.EchoResponse, error) {
	return &kindsv1.EchoResponse{Fields: req.GetFields()}, nil
}

func (kinds) Count(ctx context.Context, req *kindsv1.CountRequest) iter.Seq2[*kindsv1.CountResponse, error] {
	if req.GetLimit() == 13 {
		return nil
	}
	return func(yield func(*kindsv1.CountResponse, error) bool) {
		for n := uint32(1); req.GetLimit() == 0 || n <= req.GetLimit(); n++ {
			if req.GetFailAfter() > 0 && n > req.GetFailAfter() {
				yield(nil, fmt.Errorf("after %d: %w", req.GetFailAfter(), kindsv1.ErrNotThere))
				return
			}
			if !yield(&kindsv1.CountResponse{Number: n}, nil) || ctx.Err() != nil {
				return
			}
		}
	}
}

func (kinds) Sum(_ context.Context, reqs iter.Seq2[*kindsv1.SumRequest, error]) (*kindsv1.SumResponse, error) {
	var sum uint64
	for req, err := range reqs {
		switch {
		case err != nil:
			return nil, err
		case req.GetNumber() == 0:
			return nil, fmt.Errorf("%w: zero", kindsv1.ErrRefused)
		}
		sum += uint64(req.GetNumber())
	}
	return &kindsv1.SumResponse{Sum: sum}, nil
}

func (kinds) Double(_ context.Context, reqs iter.Seq2[*kindsv1.DoubleRequest, error]) iter.Seq2[*kindsv1.DoubleResponse, error] {
	return func(yield func(*kindsv1.DoubleResponse, error) bool) {
		for req, err := range reqs {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(&kindsv1.DoubleResponse{Number: 2 * uint64(req.GetNumber())}, nil) {
				return
			}
		}
	}
}

// Ask fails with the errors named in the question, or asks the host.
func (kinds) Ask(ctx context.Context, req *kindsv1.AskRequest, answerer kindsv1.AnswerService) (*kindsv1.AskResponse, error) {
	switch req.GetQuestion() {
	case "plain":
		return nil, errors.New("it did not work")
	case "status":
		return nil, status.Error(codes.NotFound, "no such thing")
	case "both":
		return nil, errors.Join(status.Error(codes.NotFound, "gone"), kindsv1.ErrRefused, kindsv1.ErrNotThere)
	}
	if answerer == nil {
		return &kindsv1.AskResponse{Answer: "nobody"}, nil
	}
	resp, err := answerer.Answer(ctx, &kindsv1.AnswerRequest{Question: req.GetQuestion()})
	if err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	return &kindsv1.AskResponse{Answer: resp.GetAnswer()}, nil
}

func (k kinds) Tell(ctx context.Context, req *kindsv1.TellRequest, answerer kindsv1.AnswerService) iter.Seq2[*kindsv1.TellResponse, error] {
	return func(yield func(*kindsv1.TellResponse, error) bool) {
		for _, question := range req.GetQuestions() {
			resp, err := k.Ask(ctx, &kindsv1.AskRequest{Question: question}, answerer)
			if !yield(&kindsv1.TellResponse{Answer: resp.GetAnswer()}, err) {
				return
			}
		}
	}
}

func (kinds) Pipe(_ context.Context, _ *kindsv1.PipeRequest, in io.Reader, out io.Writer) (*kindsv1.PipeResponse, error) {
	if in == nil || out == nil {
		return nil, kindsv1.ErrNotThere
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	n, err := io.WriteString(out, strings.ToUpper(string(text)))
	return &kindsv1.PipeResponse{Size: uint64(n)}, err
}

func (kinds) Old(context.Context, *kindsv1.OldRequest) (*kindsv1.OldResponse, error) {
	return &kindsv1.OldResponse{}, nil
}
