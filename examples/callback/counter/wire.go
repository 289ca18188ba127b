package counter

import (
	"context"
	"io"

	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// addArgs is the message of Add. The adder stays in the host: the message has a
// reference to it.
type addArgs struct {
	Key   string
	N     int
	Adder netrpc.ObjectRef
}

// client is the Counter in the host.
type client struct {
	rpc    *netrpc.Client
	broker *netrpc.Broker
}

func (c *client) Add(ctx context.Context, key string, n int, adder Adder) (int, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // the plugin can use the adder until this call returns
	object, err := c.broker.Lend(ctx, &adderServer{adder})
	if err != nil {
		return 0, err
	}
	var sum int
	err = c.rpc.Call(ctx, "Add", addArgs{key, n, object}, &sum)
	return sum, err
}

func (c *client) CountWords(ctx context.Context, r io.Reader) (int, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var words int
	err := c.rpc.Call(ctx, "CountWords", c.broker.LendReader(ctx, r), &words)
	return words, err
}

// server receives the client's calls, in the plugin.
type server struct {
	impl   Counter
	broker *netrpc.Broker
}

func (s *server) Add(ctx context.Context, args addArgs, sum *int) error {
	rpc, err := s.broker.Borrow(ctx, args.Adder)
	if err != nil {
		return err
	}
	defer func() { _ = rpc.Close() }()
	*sum, err = s.impl.Add(ctx, args.Key, args.N, &adderClient{rpc})
	return err
}

func (s *server) CountWords(ctx context.Context, from netrpc.ReaderRef, words *int) error {
	r, err := s.broker.BorrowReader(ctx, from)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	*words, err = s.impl.CountWords(ctx, r)
	return err
}

// sumArgs is the message of Sum.
type sumArgs struct{ A, B int }

// adderServer receives the plugin's calls, in the host.
type adderServer struct{ impl Adder }

func (s *adderServer) Sum(ctx context.Context, args sumArgs, sum *int) (err error) {
	*sum, err = s.impl.Sum(ctx, args.A, args.B)
	return err
}

// adderClient is the Adder in the plugin.
type adderClient struct{ rpc *netrpc.Client }

func (c *adderClient) Sum(ctx context.Context, a, b int) (int, error) {
	var sum int
	err := c.rpc.Call(ctx, "Sum", sumArgs{a, b}, &sum)
	return sum, err
}
