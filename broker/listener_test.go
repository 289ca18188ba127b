package broker_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/jackfield-go/jackfield/broker"
)

// serveUpper is a typical third-party server for a net.Listener.
func serveUpper(listener net.Listener) error {
	var conns sync.WaitGroup
	defer conns.Wait()
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		conns.Go(func() {
			defer conn.Close()
			text, err := io.ReadAll(conn)
			if err == nil {
				_, _ = io.WriteString(conn, strings.ToUpper(string(text)))
			}
		})
	}
}

func TestListenerServesEveryConnectionToItsID(t *testing.T) {
	host, plugin := pair(t, broker.Config{})
	listener := plugin.Listen(7)
	if addr := listener.Addr(); addr.Network() != "broker" || addr.String() != "7" {
		t.Errorf("the address is %s %s", addr.Network(), addr)
	}
	served := make(chan error, 1)
	go func() { served <- serveUpper(listener) }()
	var all sync.WaitGroup
	for i := range 32 {
		all.Go(func() {
			conn, err := host.Dial(within(t), 7)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_, _ = fmt.Fprintf(conn, "text %d", i)
			_ = conn.CloseWrite()
			if answer, err := io.ReadAll(conn); err != nil || string(answer) != fmt.Sprintf("TEXT %d", i) {
				t.Errorf("got %q, %v", answer, err)
			}
		})
	}
	all.Wait()
	for range 2 {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := receive(t, "serve", served); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the server got %v, want net.ErrClosed", err)
	}
	connect(t, host, plugin, 7) // the ID is free again
}

func TestListenerEndsWithItsBroker(t *testing.T) {
	_, plugin := pair(t, broker.Config{})
	served := make(chan error, 1)
	go func() { served <- serveUpper(plugin.Listen(7)) }()
	waitFor(t, func() bool { return plugin.Waiting(7) == 1 })
	plugin.Close()
	err := receive(t, "serve", served)
	var op *net.OpError
	if !errors.Is(err, net.ErrClosed) || !errors.As(err, &op) || op.Op != "accept" {
		t.Errorf("the server got %v, want a net.OpError with net.ErrClosed", err)
	}
}
