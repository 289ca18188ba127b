package transportgrpc

import (
	"net"
	"testing"

	"google.golang.org/grpc/peer"
)

// gRPC dials again before it closes a broken connection, and calls without a connection fail
// meanwhile.
func TestBrokenConnectionIsLostBeforeItIsClosed(t *testing.T) {
	ours, theirs := net.Pipe()
	d := newDialer(nil)
	c := d.begin(ours)
	defer c.Close()
	if d.lost(nil) || d.lost(&peer.Peer{Addr: c.RemoteAddr()}) {
		t.Error("lost from the start")
	}
	_ = theirs.Close()
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Fatal("read from nowhere")
	}
	if !d.lost(nil) || !d.lost(new(peer.Peer)) || !d.lost(&peer.Peer{Addr: c.RemoteAddr()}) {
		t.Error("not lost")
	}
}
