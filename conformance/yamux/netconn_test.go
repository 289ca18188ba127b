package yamux_test

import (
	"net"
	"testing"

	"golang.org/x/net/nettest"

	ours "github.com/jackfield-go/jackfield/yamux"
)

// Our streams keep the promises of net.Conn, according to the Go project's own suite: on a
// socket, and on a connection with uninterruptible writes.
func TestStreamsAreConns(t *testing.T) {
	for name, pair := range map[string]func(testing.TB) (net.Conn, net.Conn){
		"unix": unixPair,
		"pipe": func(testing.TB) (net.Conn, net.Conn) { return net.Pipe() },
	} {
		t.Run(name, func(t *testing.T) {
			nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
				c, s := pair(t)
				client, err := ours.Client(c, ours.Config{})
				if err != nil {
					return nil, nil, nil, err
				}
				server, err := ours.Server(s, ours.Config{})
				if err != nil {
					return nil, nil, nil, err
				}
				stop = func() { client.Close(); server.Close() }
				if c1, err = client.Open(t.Context()); err != nil {
					return nil, nil, stop, err
				}
				c2, err = server.Accept(t.Context())
				return c1, c2, stop, err
			})
		})
	}
}
