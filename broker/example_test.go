package broker_test

import (
	"context"
	"fmt"
	"io"
	"net"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/yamux"
)

// twoSides stands for the connection of a host and a plugin.
func twoSides() (host, plugin *broker.Prefixed, hangUp func()) {
	c, s := net.Pipe()
	client, _ := yamux.Client(c, yamux.Config{})
	server, _ := yamux.Server(s, yamux.Config{})
	host = broker.NewPrefixed(broker.Yamux(client), broker.Config{})
	plugin = broker.NewPrefixed(broker.Yamux(server), broker.Config{})
	return host, plugin, func() {
		host.Close()
		plugin.Close()
		client.Close()
		server.Close()
	}
}

// One side takes an ID, sends it to the other in its own call, and accepts the
// other side's connection.
func Example() {
	host, plugin, hangUp := twoSides()
	defer hangUp()
	ctx := context.Background()

	var ids broker.IDs // the host's
	id := ids.Next()
	go func() { // in the plugin, after it has received the ID
		conn, err := plugin.Dial(ctx, id)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Fprint(conn, "hello from the plugin")
		conn.Close()
	}()

	conn, err := host.Accept(ctx, id)
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := io.ReadAll(conn)
	conn.Close()
	fmt.Println(string(text), err)
	// Output: hello from the plugin <nil>
}

// A server for a net.Listener can serve an ID.
func ExamplePrefixed_Listen() {
	host, plugin, hangUp := twoSides()
	defer hangUp()

	listener := plugin.Listen(7)
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(conn, "served by ", conn.LocalAddr().Network())
			conn.Close()
		}
	}()

	conn, err := host.Dial(context.Background(), 7)
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := io.ReadAll(conn)
	fmt.Println(string(text), err)
	// Output: served by pipe <nil>
}
