package transportnetrpc_test

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/core/runner"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// Shelf is an application's own interface for its plugins. A host
// can put in something of its own, and the plugin uses it.
type Shelf interface {
	Put(ctx context.Context, text io.Reader, p Progress) (lines int, err error)
}

// Progress is an interface implemented by the host and called by the plugin.
type Progress interface {
	Report(ctx context.Context, text string) error
}

// shelfPlugin is the name of the plugin, and its type.
var shelfPlugin = core.Define[Shelf]("shelf")

// shelfVersions says how a Shelf crosses the connection. Both sides have it.
var shelfVersions = core.Versions{1: {netrpc.New(netrpc.Carry(shelfPlugin, newShelfServer, newShelfClient))}}

func newShelfServer(b *netrpc.Broker, impl Shelf) (any, error) { return &shelfServer{impl, b}, nil }

func newShelfClient(b *netrpc.Broker, c *netrpc.Client) (Shelf, error) {
	return &shelfClient{b, c}, nil
}

// putArgs is the message of Put.
type putArgs struct {
	Text     netrpc.ReaderRef
	Progress netrpc.ObjectRef
}

// shelfClient is the host's half: a Shelf calling the plugin.
type shelfClient struct {
	broker *netrpc.Broker
	rpc    *netrpc.Client
}

func (c *shelfClient) Put(ctx context.Context, text io.Reader, p Progress) (lines int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // the loans are for this call
	progress, err := c.broker.Lend(ctx, &progressServer{p})
	if err != nil {
		return 0, err
	}
	err = c.rpc.Call(ctx, "Put", putArgs{c.broker.LendReader(ctx, text), progress}, &lines)
	return lines, err
}

// shelfServer is the plugin's half: it answers the calls of shelfClient.
type shelfServer struct {
	impl   Shelf
	broker *netrpc.Broker
}

func (s *shelfServer) Put(ctx context.Context, args putArgs, lines *int) error {
	text, err := s.broker.BorrowReader(ctx, args.Text)
	if err != nil {
		return err
	}
	defer text.Close()
	progress, err := s.broker.Borrow(ctx, args.Progress)
	if err != nil {
		return err
	}
	defer progress.Close()
	*lines, err = s.impl.Put(ctx, text, progressClient{progress})
	return err
}

// progressServer and progressClient are the same for Progress, the other way
// round: the host serves and the plugin calls.
type progressServer struct{ impl Progress }

func (s *progressServer) Report(ctx context.Context, text string, _ *struct{}) error {
	return s.impl.Report(ctx, text)
}

type progressClient struct{ rpc *netrpc.Client }

func (c progressClient) Report(ctx context.Context, text string) error {
	return c.rpc.Call(ctx, "Report", text, nil)
}

// wooden is the plugin's implementation. It knows nothing of plugins.
type wooden struct{}

func (wooden) Put(ctx context.Context, text io.Reader, p Progress) (int, error) {
	all, err := io.ReadAll(text)
	if err != nil {
		return 0, err
	}
	lines := strings.Count(string(all), "\n")
	return lines, p.Report(ctx, fmt.Sprintf("%d bytes are on the shelf", len(all)))
}

// printer is the host's Progress.
type printer struct{}

func (printer) Report(_ context.Context, text string) error {
	fmt.Println("the plugin reports:", text)
	return nil
}

var shelfHandshake = core.Handshake{MagicCookieKey: "SHELF_PLUGIN", MagicCookieValue: "oak"}

// launchShelf launches the plugin in this process. A host otherwise gives
// host.Launch a Command, and the main function of a plugin calls plugin.Serve;
// tests have plugintest.Launch.
func launchShelf(ctx context.Context) (*host.Client, error) {
	return host.Launch(ctx, host.Config{
		Handshake: shelfHandshake,
		Versions:  shelfVersions,
		Runner: func(cmd runner.Command) (runner.Runner, error) {
			return plugintest.NewPlugin(cmd, plugin.Config{
				Handshake:  shelfHandshake,
				Versions:   shelfVersions,
				Implements: shelfPlugin.Bind(wooden{}),
			}), nil
		},
	})
}

// A host passes a reader and an interface of its own into a call of the plugin.
func Example() {
	ctx := context.Background()
	client, err := launchShelf(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	shelf, err := host.Dispense(ctx, client, shelfPlugin)
	if err != nil {
		fmt.Println(err)
		return
	}
	lines, err := shelf.Put(ctx, strings.NewReader("one\ntwo\nthree\n"), printer{})
	fmt.Println("lines:", lines, err)
	// Output:
	// the plugin reports: 14 bytes are on the shelf
	// lines: 3 <nil>
}

// greeter is a plugin written for net/rpc alone: no contexts.
type greeter struct{}

func (greeter) Greet(name string, reply *string) error {
	*reply = "Hello, " + name
	return nil
}

// Both sides may have types of their own: here plugins implement a greeter, which is
// served as it is, and hosts call a function.
func ExampleCarry() {
	type call func(ctx context.Context, name string) (string, error)
	plugin := core.DefineSides[greeter, call]("greeter")
	transport := netrpc.New(
		netrpc.Carry(plugin,
			func(_ *netrpc.Broker, impl greeter) (any, error) { return impl, nil },
			func(_ *netrpc.Broker, c *netrpc.Client) (call, error) {
				return func(ctx context.Context, name string) (reply string, err error) {
					err = c.Call(ctx, "Greet", name, &reply)
					return reply, err
				}, nil
			}),
		netrpc.WithMaxConcurrentCalls(16),
	)
	fmt.Println(transport.Names(plugin.Bind(greeter{})))
	// Output: [greeter]
}

// Where the receiver needs only the bytes, a reader is passed in the arguments
// of a call. It is of use for as long as the context that it was made with.
func ExampleBroker_LendReader() {
	send := func(ctx context.Context, b *netrpc.Broker, c *netrpc.Client, text io.Reader) (n int, err error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		err = c.Call(ctx, "Store", b.LendReader(ctx, text), &n)
		return n, err
	}
	receive := func(ctx context.Context, b *netrpc.Broker, passed netrpc.ReaderRef, n *int) error {
		r, err := b.BorrowReader(ctx, passed)
		if err != nil {
			return err
		}
		defer r.Close()
		data, err := io.ReadAll(r)
		*n = len(data)
		return err
	}
	_, _ = send, receive // the methods of a client and of its server
}

// An interface of the caller's is passed as an object with methods of its own;
// the other side calls them as it is called itself.
func ExampleBroker_Lend() {
	send := func(ctx context.Context, b *netrpc.Broker, c *netrpc.Client, p Progress) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel() // ends the object as well
		progress, err := b.Lend(ctx, &progressServer{p})
		if err != nil {
			return err
		}
		return c.Call(ctx, "Watch", progress, nil)
	}
	receive := func(ctx context.Context, b *netrpc.Broker, passed netrpc.ObjectRef) error {
		progress, err := b.Borrow(ctx, passed)
		if err != nil {
			return err
		}
		defer progress.Close()
		return progress.Call(ctx, "Report", "it works", nil)
	}
	_, _ = send, receive // the methods of a client and of its server
}
