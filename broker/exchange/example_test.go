package exchange_test

import (
	"context"
	"fmt"
	"io"
	"net"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/broker/exchange"
	"github.com/jackfield-go/jackfield/yamux"
)

// twoSides stands for the session and the control stream of a host and a
// plugin.
func twoSides() (host, plugin *exchange.Multiplexed, hangUp func()) {
	c, s := net.Pipe()
	client, _ := yamux.Client(c, yamux.Config{})
	server, _ := yamux.Server(s, yamux.Config{})
	host = exchange.NewMultiplexed(broker.Config{}, broker.Yamux(client))
	plugin = exchange.NewMultiplexed(broker.Config{}, broker.Yamux(server))
	a, b := newWire(1)
	go func() { _ = host.Run(context.Background(), a) }()
	go func() { _ = plugin.Run(context.Background(), b) }()
	return host, plugin, func() {
		host.Close()
		plugin.Close()
		client.Close()
		server.Close()
	}
}

// One side takes an ID, sends it to the other in its own call, and listens for
// it; the other dials.
func Example() {
	host, plugin, hangUp := twoSides()
	defer hangUp()
	ctx := context.Background()

	var ids broker.IDs // the host's
	id := ids.Next()
	listener, err := host.Listen(ctx, id)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer listener.Close()
	go func() { // in the plugin, after it has received the ID
		conn, err := plugin.Dial(ctx, id)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Fprint(conn, "hello from the plugin")
		conn.Close()
	}()

	conn, err := listener.Accept()
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := io.ReadAll(conn)
	conn.Close()
	fmt.Println(string(text), err)
	// Output: hello from the plugin <nil>
}

// The plugin's main server accepts the streams without a knock.
func ExampleMultiplexed_Main() {
	host, plugin, hangUp := twoSides()
	defer hangUp()
	main := plugin.Main()
	go func() {
		conn, err := main.Accept()
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Fprint(conn, "the main server")
		conn.Close()
	}()

	conn, err := host.OpenMain(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := io.ReadAll(conn)
	conn.Close()
	fmt.Println(string(text), err)
	// Output: the main server <nil>
}

// A plain broker uses the given functions for its connections and listeners:
// they choose socket directories and translate addresses.
func ExampleNewPlain() {
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, network, address)
	}
	listen := func(ctx context.Context) (net.Listener, string, string, error) {
		var config net.ListenConfig
		l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, "", "", err
		}
		return l, "tcp", l.Addr().String(), nil
	}
	host := exchange.NewPlain(broker.Config{}, dial, listen)
	plugin := exchange.NewPlain(broker.Config{}, dial, listen)
	defer host.Close()
	defer plugin.Close()
	a, b := newWire(1)
	go func() { _ = host.Run(context.Background(), a) }()
	go func() { _ = plugin.Run(context.Background(), b) }()

	ctx := context.Background()
	listener, err := plugin.Listen(ctx, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	conn, err := host.Dial(ctx, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(conn.RemoteAddr().String() == listener.Addr().String())
	conn.Close()
	// Output: true
}
