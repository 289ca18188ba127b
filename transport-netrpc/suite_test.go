package transportnetrpc_test

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/jackfield-go/jackfield/core/transporttest"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

var suite = transporttest.Suite{
	Transport: netrpc.New(netrpc.Carry(transporttest.Plugin, newProbeServer, newProbeClient)),
}

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }

func TestTransport(t *testing.T) { suite.Run(t) }

func newProbeServer(b *netrpc.Broker, impl transporttest.Probe) (any, error) {
	return &probeServer{impl, b}, nil
}

func newProbeClient(b *netrpc.Broker, c *netrpc.Client) (transporttest.Probe, error) {
	return &probeClient{b, c}, nil
}

type (
	printArgs struct{ Stdout, Stderr string }
	askArgs   struct {
		Asker    netrpc.ObjectRef
		Question string
	}
	copyArgs struct {
		To   netrpc.WriterRef
		From netrpc.ReaderRef
	}
)

type probeServer struct {
	impl   transporttest.Probe
	broker *netrpc.Broker
}

func (s *probeServer) Echo(ctx context.Context, text string, reply *string) (err error) {
	*reply, err = s.impl.Echo(ctx, text)
	return err
}

func (s *probeServer) Fail(ctx context.Context, text string, _ *struct{}) error {
	return s.impl.Fail(ctx, text)
}

func (s *probeServer) Block(ctx context.Context, _ struct{}, _ *struct{}) error {
	return s.impl.Block(ctx)
}

func (s *probeServer) Print(ctx context.Context, args printArgs, _ *struct{}) error {
	return s.impl.Print(ctx, args.Stdout, args.Stderr)
}

func (s *probeServer) Exit(ctx context.Context, code int, _ *struct{}) error {
	return s.impl.Exit(ctx, code)
}

func (s *probeServer) Ask(ctx context.Context, args askArgs, reply *string) error {
	asker, err := s.broker.Borrow(ctx, args.Asker)
	if err != nil {
		return err
	}
	defer func() { _ = asker.Close() }()
	*reply, err = s.impl.Ask(ctx, func(ctx context.Context, question string) (answer string, err error) {
		err = asker.Call(ctx, "Ask", question, &answer)
		return answer, err
	}, args.Question)
	return err
}

func (s *probeServer) Copy(ctx context.Context, args copyArgs, n *int64) error {
	r, err := s.broker.BorrowReader(ctx, args.From)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	w, err := s.broker.BorrowWriter(ctx, args.To)
	if err != nil {
		return err
	}
	*n, err = s.impl.Copy(ctx, w, r)
	return errors.Join(err, w.Close())
}

type probeClient struct {
	broker *netrpc.Broker
	rpc    *netrpc.Client
}

func (c *probeClient) Echo(ctx context.Context, text string) (reply string, err error) {
	err = c.rpc.Call(ctx, "Echo", text, &reply)
	return reply, err
}

func (c *probeClient) Fail(ctx context.Context, text string) error {
	return c.rpc.Call(ctx, "Fail", text, nil)
}

func (c *probeClient) Block(ctx context.Context) error {
	return c.rpc.Call(ctx, "Block", struct{}{}, nil)
}

func (c *probeClient) Print(ctx context.Context, stdout, stderr string) error {
	return c.rpc.Call(ctx, "Print", printArgs{stdout, stderr}, nil)
}

func (c *probeClient) Exit(ctx context.Context, code int) error {
	return c.rpc.Call(ctx, "Exit", code, nil)
}

func (c *probeClient) Ask(ctx context.Context, ask func(context.Context, string) (string, error), question string) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	asker, err := c.broker.Lend(ctx, &askServer{ask})
	if err != nil {
		return "", err
	}
	var answer string
	err = c.rpc.Call(ctx, "Ask", askArgs{asker, question}, &answer)
	return answer, err
}

func (c *probeClient) Copy(ctx context.Context, w io.Writer, r io.Reader) (n int64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err = c.rpc.Call(ctx, "Copy", copyArgs{c.broker.LendWriter(ctx, w), c.broker.LendReader(ctx, r)}, &n)
	return n, err
}

// askServer is the host's function, for the plugin to call.
type askServer struct {
	ask func(context.Context, string) (string, error)
}

func (s *askServer) Ask(ctx context.Context, question string, answer *string) (err error) {
	*answer, err = s.ask(ctx, question)
	return err
}
