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

// Shelf is an application's own interface: what its plugins implement. A host
// can put something in that only it has, and the plugin uses it.
type Shelf interface {
	Put(ctx context.Context, text io.Reader, p Progress) (lines int, err error)
}

// Progress is an interface that the host implements, and the plugin calls.
type Progress interface {
	Report(ctx context.Context, text string) error
}

// shelfPlugin says how a Shelf crosses the connection. Both sides have it.
type shelfPlugin struct{ impl Shelf }

func (p shelfPlugin) Server(b *netrpc.Broker) (any, error) { return &shelfServer{p.impl, b}, nil }

func (shelfPlugin) Client(b *netrpc.Broker, c *netrpc.Client) (any, error) {
	return &shelfClient{b, c}, nil
}

// putArgs is what crosses the connection for Put.
type putArgs struct {
	Text     netrpc.Reader
	Progress netrpc.Object
}

// shelfClient is the host's half: a Shelf that calls the plugin.
type shelfClient struct {
	broker *netrpc.Broker
	rpc    *netrpc.Client
}

func (c *shelfClient) Put(ctx context.Context, text io.Reader, p Progress) (lines int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // what was passed is passed for this call
	progress, err := c.broker.Object(ctx, &progressServer{p})
	if err != nil {
		return 0, err
	}
	err = c.rpc.Call(ctx, "Put", putArgs{c.broker.Reader(ctx, text), progress}, &lines)
	return lines, err
}

// shelfServer is the plugin's half: it answers what shelfClient calls.
type shelfServer struct {
	impl   Shelf
	broker *netrpc.Broker
}

func (s *shelfServer) Put(ctx context.Context, args putArgs, lines *int) error {
	text, err := s.broker.OpenReader(ctx, args.Text)
	if err != nil {
		return err
	}
	defer text.Close()
	progress, err := s.broker.OpenObject(ctx, args.Progress)
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

// shelfVersions is what both sides share, with the implementation on the
// plugin's.
func shelfVersions(impl Shelf) core.Versions {
	return core.Versions{1: {netrpc.New(netrpc.PluginSet{"shelf": shelfPlugin{impl}})}}
}

var shelfHandshake = core.Handshake{MagicCookieKey: "SHELF_PLUGIN", MagicCookieValue: "oak"}

// launchShelf launches the plugin in this process. A host otherwise gives
// host.Launch a Command, and the main function of a plugin calls plugin.Serve;
// tests have plugintest.Launch.
func launchShelf(ctx context.Context) (*host.Client, error) {
	return host.Launch(ctx, host.Config{
		Handshake: shelfHandshake,
		Versions:  shelfVersions(nil),
		Runner: func(cmd runner.Command) (runner.Runner, error) {
			return plugintest.NewPlugin(cmd, plugin.Config{
				Handshake: shelfHandshake,
				Versions:  shelfVersions(wooden{}),
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

	shelf, err := host.Dispense[Shelf](ctx, client, "shelf")
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

// greeter is a plugin that was written for net/rpc alone: no contexts.
type greeter struct{}

func (greeter) Greet(name string, reply *string) error {
	*reply = "Hello, " + name
	return nil
}

// For a plugin that needs no type of its own, PluginFuncs will do.
func ExamplePluginFuncs() {
	set := netrpc.PluginSet{"greeter": netrpc.PluginFuncs{
		NewServer: func(*netrpc.Broker) (any, error) { return greeter{}, nil },
		NewClient: func(_ *netrpc.Broker, c *netrpc.Client) (any, error) {
			return func(ctx context.Context, name string) (reply string, err error) {
				err = c.Call(ctx, "Greet", name, &reply)
				return reply, err
			}, nil
		},
	}}
	transport := netrpc.New(set, netrpc.WithMaxConcurrentCalls(16))
	fmt.Println(transport.Protocol())
	// Output: netrpc
}

// Where the receiver needs only the bytes, a reader is passed in the arguments
// of a call. It is of use for as long as the context that it was made with.
func ExampleBroker_Reader() {
	send := func(ctx context.Context, b *netrpc.Broker, c *netrpc.Client, text io.Reader) (n int, err error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		err = c.Call(ctx, "Store", b.Reader(ctx, text), &n)
		return n, err
	}
	receive := func(ctx context.Context, b *netrpc.Broker, passed netrpc.Reader, n *int) error {
		r, err := b.OpenReader(ctx, passed)
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
func ExampleBroker_Object() {
	send := func(ctx context.Context, b *netrpc.Broker, c *netrpc.Client, p Progress) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel() // ends the object as well
		progress, err := b.Object(ctx, &progressServer{p})
		if err != nil {
			return err
		}
		return c.Call(ctx, "Watch", progress, nil)
	}
	receive := func(ctx context.Context, b *netrpc.Broker, passed netrpc.Object) error {
		progress, err := b.OpenObject(ctx, passed)
		if err != nil {
			return err
		}
		defer progress.Close()
		return progress.Call(ctx, "Report", "it works", nil)
	}
	_, _ = send, receive // the methods of a client and of its server
}
