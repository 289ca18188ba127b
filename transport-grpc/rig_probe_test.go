package transportgrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"

	"google.golang.org/grpc"

	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
	"github.com/jackfield-go/jackfield/transport-grpc/internal/probepb"
)

// testProbe is the service of the tests' own plugins.
type testProbe struct{}

func (testProbe) Echo(_ context.Context, text string) (string, error) { return text, nil }

func (testProbe) Fail(_ context.Context, text string) error { return errors.New(text) }

func (testProbe) Block(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

func (testProbe) Print(_ context.Context, stdout, stderr string) error {
	_, outErr := io.WriteString(os.Stdout, stdout)
	_, errErr := io.WriteString(os.Stderr, stderr)
	return errors.Join(outErr, errErr)
}

func (testProbe) Exit(_ context.Context, code int) error {
	os.Exit(code)
	return nil
}

func (testProbe) Ask(ctx context.Context, ask func(context.Context, string) (string, error), question string) (string, error) {
	return ask(ctx, question)
}

func (testProbe) Copy(_ context.Context, w io.Writer, r io.Reader) (int64, error) {
	return io.Copy(w, r)
}

func (s *probeServer) Count(_ *probepb.CountRequest, stream grpc.ServerStreamingServer[probepb.CountResponse]) error {
	for n := int64(1); ; n++ {
		if err := stream.Send(&probepb.CountResponse{Number: n}); err != nil {
			return err
		}
	}
}

// offers are the services of Offer.
type offers struct {
	mu   sync.Mutex
	ends map[uint32]context.CancelFunc
}

func (s *probeServer) Offer(call context.Context, req *probepb.OfferRequest) (*probepb.OfferResponse, error) {
	s.offers.mu.Lock()
	defer s.offers.mu.Unlock()
	if s.offers.ends == nil {
		s.offers.ends = make(map[uint32]context.CancelFunc)
	}
	res := new(probepb.OfferResponse)
	for range req.GetCount() {
		ctx, cancel := context.WithCancel(context.WithoutCancel(call))
		id, err := lendNumbered(ctx, s.broker)
		if err != nil {
			cancel()
			return nil, err
		}
		s.offers.ends[id] = cancel
		res.Ids = append(res.Ids, id)
	}
	return res, nil
}

func (s *probeServer) Withdraw(_ context.Context, req *probepb.WithdrawRequest) (*probepb.WithdrawResponse, error) {
	s.offers.mu.Lock()
	defer s.offers.mu.Unlock()
	for _, id := range req.GetIds() {
		if end := s.offers.ends[id]; end != nil {
			end()
		}
		delete(s.offers.ends, id)
	}
	return &probepb.WithdrawResponse{}, nil
}

func (s *probeServer) Reach(ctx context.Context, req *probepb.ReachRequest) (*probepb.ReachResponse, error) {
	answers, err := askEach(ctx, s.broker, req.GetIds())
	return &probepb.ReachResponse{Answers: answers}, err
}

func (*probeServer) Hold(context.Context, *probepb.HoldRequest) (*probepb.HoldResponse, error) {
	select {}
}

func (*probeServer) Panic(ctx context.Context, req *probepb.PanicRequest) (*probepb.PanicResponse, error) {
	go panic(req.GetText())
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

func (*probeServer) Resources(context.Context, *probepb.ResourcesRequest) (*probepb.ResourcesResponse, error) {
	goroutines, files := resources()
	return &probepb.ResourcesResponse{Goroutines: int64(goroutines), Files: int64(files)}, nil
}

// resources are the open resources of this process, as far as the system tells.
func resources() (goroutines, files int) {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, entry := range entries {
		target, err := os.Readlink("/proc/self/fd/" + entry.Name())
		if err == nil && !strings.HasPrefix(target, "anon_inode:") {
			files++
		}
	}
	return runtime.NumGoroutine(), files
}

// numbered answers questions with its ID.
type numbered struct {
	probepb.UnimplementedQuestionServiceServer

	id   uint32
	data string
}

func (n *numbered) Answer(_ context.Context, req *probepb.AnswerRequest) (*probepb.AnswerResponse, error) {
	if n.data != "" {
		return &probepb.AnswerResponse{Answer: n.data}, nil
	}
	return &probepb.AnswerResponse{Answer: fmt.Sprint(req.GetQuestion(), n.id)}, nil
}

// serveNumbered serves a numbered under id until ctx ends.
func serveNumbered(ctx context.Context, b *transportgrpc.Broker, id uint32, opts ...grpc.ServerOption) error {
	return b.Serve(ctx, id, func(r grpc.ServiceRegistrar) {
		probepb.RegisterQuestionServiceServer(r, &numbered{id: id})
	}, opts...)
}

// serveProbe serves a probe without a broker under id.
func serveProbe(ctx context.Context, b *transportgrpc.Broker, id uint32, opts ...grpc.ServerOption) error {
	return b.Serve(ctx, id, func(r grpc.ServiceRegistrar) {
		probepb.RegisterProbeServiceServer(r, &probeServer{impl: testProbe{}})
	}, opts...)
}

// lendNumbered lends a numbered with its own ID.
func lendNumbered(ctx context.Context, b *transportgrpc.Broker) (uint32, error) {
	n := new(numbered)
	id, err := transportgrpc.Lend[probepb.QuestionServiceServer](ctx, b, probepb.RegisterQuestionServiceServer, n)
	n.id = id // nobody has been told of it
	return id, err
}

// askNumber dials id and asks.
func askNumber(ctx context.Context, b *transportgrpc.Broker, id uint32, opts ...grpc.DialOption) (string, error) {
	conn, err := b.Client(ctx, id, opts...)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	res, err := probepb.NewQuestionServiceClient(conn).Answer(ctx, &probepb.AnswerRequest{Question: "who? "})
	return res.GetAnswer(), err
}

// askEach dials all at once.
func askEach(ctx context.Context, b *transportgrpc.Broker, ids []uint32) ([]string, error) {
	answers, failures := make([]string, len(ids)), make([]error, len(ids))
	var asking sync.WaitGroup
	for i, id := range ids {
		asking.Go(func() { answers[i], failures[i] = askNumber(ctx, b, id) })
	}
	asking.Wait()
	return answers, errors.Join(failures...)
}
