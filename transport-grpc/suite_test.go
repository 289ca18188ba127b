package transportgrpc_test

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/jackfield-go/jackfield/core/transporttest"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
	"github.com/jackfield-go/jackfield/transport-grpc/internal/probepb"
)

var probes = transportgrpc.Carry(transporttest.Plugin, registerProbe, newProbeClient)

var suite = transporttest.Suite{Transport: transportgrpc.New(probes)}

var multiplexed = transporttest.Suite{Transport: transportgrpc.New(probes, transportgrpc.WithMultiplexing())}

// TestMain serves both suites: a plugin follows its host. The tests
// outside the suites have plugins of their own.
func TestMain(m *testing.M) {
	if serve, ok := pluginKinds[os.Getenv(pluginVariable)]; ok {
		serve()
		return
	}
	os.Exit(suite.Main(m))
}

func TestTransport(t *testing.T) { suite.Run(t) }

func TestMultiplexedTransport(t *testing.T) { multiplexed.Run(t) }

func registerProbe(b *transportgrpc.Broker, r grpc.ServiceRegistrar, impl transporttest.Probe) error {
	probepb.RegisterProbeServiceServer(r, &probeServer{impl: impl, broker: b})
	return nil
}

func newProbeClient(b *transportgrpc.Broker, conn grpc.ClientConnInterface) (transporttest.Probe, error) {
	return &probeClient{b, probepb.NewProbeServiceClient(conn)}, nil
}

// probeServer has further methods in probe_test.go.
type probeServer struct {
	probepb.UnimplementedProbeServiceServer

	impl   transporttest.Probe
	broker *transportgrpc.Broker
	offers offers
}

func (s *probeServer) Echo(ctx context.Context, req *probepb.EchoRequest) (*probepb.EchoResponse, error) {
	text, err := s.impl.Echo(ctx, string(req.GetData()))
	return &probepb.EchoResponse{Data: []byte(text)}, err
}

func (s *probeServer) Fail(ctx context.Context, req *probepb.FailRequest) (*probepb.FailResponse, error) {
	return nil, s.impl.Fail(ctx, req.GetText())
}

func (s *probeServer) Block(ctx context.Context, _ *probepb.BlockRequest) (*probepb.BlockResponse, error) {
	return nil, s.impl.Block(ctx)
}

func (s *probeServer) Print(ctx context.Context, req *probepb.PrintRequest) (*probepb.PrintResponse, error) {
	return &probepb.PrintResponse{}, s.impl.Print(ctx, req.GetStdout(), req.GetStderr())
}

func (s *probeServer) Exit(ctx context.Context, req *probepb.ExitRequest) (*probepb.ExitResponse, error) {
	return nil, s.impl.Exit(ctx, int(req.GetCode()))
}

func (s *probeServer) Ask(ctx context.Context, req *probepb.AskRequest) (*probepb.AskResponse, error) {
	asker, err := transportgrpc.Borrow(ctx, s.broker, req.GetAsker(), probepb.NewQuestionServiceClient)
	if err != nil {
		return nil, err
	}
	ask := func(ctx context.Context, question string) (string, error) {
		res, err := asker.Answer(ctx, &probepb.AnswerRequest{Question: question})
		return res.GetAnswer(), err
	}
	answer, err := s.impl.Ask(ctx, ask, req.GetQuestion())
	return &probepb.AskResponse{Answer: answer}, err
}

func (s *probeServer) Copy(ctx context.Context, req *probepb.CopyRequest) (_ *probepb.CopyResponse, err error) {
	r, err := s.broker.BorrowReader(ctx, req.GetReader())
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	w, err := s.broker.BorrowWriter(ctx, req.GetWriter())
	if err != nil {
		return nil, err
	}
	n, err := s.impl.Copy(ctx, w, r)
	return &probepb.CopyResponse{Size: n}, errors.Join(err, w.Close())
}

// probeClient is the host's.
type probeClient struct {
	broker *transportgrpc.Broker
	client probepb.ProbeServiceClient
}

func (c *probeClient) Echo(ctx context.Context, text string) (string, error) {
	res, err := c.client.Echo(ctx, &probepb.EchoRequest{Data: []byte(text)})
	return string(res.GetData()), err
}

func (c *probeClient) Fail(ctx context.Context, text string) error {
	_, err := c.client.Fail(ctx, &probepb.FailRequest{Text: text})
	return err
}

func (c *probeClient) Block(ctx context.Context) error {
	_, err := c.client.Block(ctx, &probepb.BlockRequest{})
	return err
}

func (c *probeClient) Print(ctx context.Context, stdout, stderr string) error {
	_, err := c.client.Print(ctx, &probepb.PrintRequest{Stdout: stdout, Stderr: stderr})
	return err
}

func (c *probeClient) Exit(ctx context.Context, code int) error {
	_, err := c.client.Exit(ctx, &probepb.ExitRequest{Code: int32(code)})
	return err
}

// asker is passed by the host.
type asker struct {
	probepb.UnimplementedQuestionServiceServer

	ask func(ctx context.Context, question string) (string, error)
}

func (a *asker) Answer(ctx context.Context, req *probepb.AnswerRequest) (*probepb.AnswerResponse, error) {
	answer, err := a.ask(ctx, req.GetQuestion())
	if err != nil {
		return nil, status.Error(codes.Aborted, err.Error())
	}
	return &probepb.AnswerResponse{Answer: answer}, nil
}

func (c *probeClient) Ask(
	ctx context.Context, ask func(context.Context, string) (string, error), question string,
) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	id, err := transportgrpc.Lend[probepb.QuestionServiceServer](
		ctx, c.broker, probepb.RegisterQuestionServiceServer, &asker{ask: ask})
	if err != nil {
		return "", err
	}
	res, err := c.client.Ask(ctx, &probepb.AskRequest{Asker: id, Question: question})
	return res.GetAnswer(), err
}

func (c *probeClient) Copy(ctx context.Context, w io.Writer, r io.Reader) (int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	reader, err := c.broker.LendReader(ctx, r)
	if err != nil {
		return 0, err
	}
	writer, err := c.broker.LendWriter(ctx, w)
	if err != nil {
		return 0, err
	}
	res, err := c.client.Copy(ctx, &probepb.CopyRequest{Reader: reader, Writer: writer})
	return res.GetSize(), err
}
