package transportgrpc

import (
	"context"
	"net"
	"testing"
)

func TestAClientThatHasMissedItsConnectionDoesNotTakeThatOfTheNext(t *testing.T) {
	d := newDialer(nil)
	over, cancel := context.WithCancel(t.Context())
	waiting := make(chan error)
	go func() {
		_, err := d.dial(over)
		waiting <- err
	}()
	cancel()
	if err := <-waiting; err == nil {
		t.Fatal("a connection before there was one")
	}
	near, far := net.Pipe()
	defer far.Close()
	first := newConnection(near)
	// It depends on when the context ended whether that counts as a wait.
	if d.first.missed = true; d.supply(first) {
		t.Fatal("supplied to a client that had given up")
	}
	d.renew()
	if conn, err := d.dial(over); err == nil {
		t.Errorf("the client that has given up got %v", conn)
	}
	if !d.supply(first) {
		t.Fatal("not supplied to the next client")
	}
	if conn, err := d.dial(over); err == nil {
		t.Errorf("the client that has given up got %v", conn)
	}
	conn, err := d.dial(t.Context())
	if err != nil || conn != net.Conn(first) {
		t.Errorf("the next client got %v, %v", conn, err)
	}
	if d.isLost() {
		t.Error("lost before it was closed")
	}
	conn.Close()
	if !d.isLost() {
		t.Error("not lost after it was closed")
	}
}
