package jsonlines_test

import (
	"context"
	"os"
	"testing"

	"github.com/jackfield-go/jackfield/core/transporttest"
	"github.com/jackfield-go/jackfield/examples/thirdtransport/jsonlines"
)

var suite = transporttest.Suite{
	Transport:   jsonlines.New(jsonlines.Carry(transporttest.Plugin, methods, newClient)),
	NoCallbacks: true,
}

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }

func TestTransport(t *testing.T) { suite.Run(t) }

func newClient(c *jsonlines.Client) transporttest.Probe { return &client{Probe: nil, rpc: c} }

type output struct{ Stdout, Stderr string }

type none struct{}

func methods(impl transporttest.Probe) map[string]jsonlines.Method {
	return map[string]jsonlines.Method{
		"Echo": jsonlines.Func(impl.Echo),
		"Fail": jsonlines.Func(func(ctx context.Context, text string) (none, error) {
			return none{}, impl.Fail(ctx, text)
		}),
		"Block": jsonlines.Func(func(ctx context.Context, _ none) (none, error) {
			return none{}, impl.Block(ctx)
		}),
		"Print": jsonlines.Func(func(ctx context.Context, o output) (none, error) {
			return none{}, impl.Print(ctx, o.Stdout, o.Stderr)
		}),
		"Exit": jsonlines.Func(func(ctx context.Context, code int) (none, error) {
			return none{}, impl.Exit(ctx, code)
		}),
	}
}

// client is a Probe but for what needs callbacks.
type client struct {
	transporttest.Probe

	rpc *jsonlines.Client
}

func (c *client) Echo(ctx context.Context, text string) (reply string, err error) {
	err = c.rpc.Call(ctx, "Echo", text, &reply)
	return reply, err
}

func (c *client) Fail(ctx context.Context, text string) error {
	return c.rpc.Call(ctx, "Fail", text, nil)
}

func (c *client) Block(ctx context.Context) error {
	return c.rpc.Call(ctx, "Block", none{}, nil)
}

func (c *client) Print(ctx context.Context, stdout, stderr string) error {
	return c.rpc.Call(ctx, "Print", output{stdout, stderr}, nil)
}

func (c *client) Exit(ctx context.Context, code int) error {
	return c.rpc.Call(ctx, "Exit", code, nil)
}
