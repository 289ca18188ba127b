package transportgrpc_test

import (
	"testing"

	"google.golang.org/grpc"

	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// Libraries may ask for gRPC's own types, over brokered connections too.
func TestUnwrapReturnsGRPCsTypes(t *testing.T) {
	var server *grpc.Server
	r := rigUp(t, setup{register: func(_ *transportgrpc.Broker, r grpc.ServiceRegistrar) error {
		server, _ = transportgrpc.Server(r)
		return nil
	}})
	if server == nil {
		t.Error("no server behind what the register function gets")
	}
	h := r.connect(t)
	if conn, ok := transportgrpc.ClientConn(h.conn); !ok || conn.Target() == "" {
		t.Errorf("behind what the client function gets: %v, %v", conn, ok)
	}
	var lent *grpc.Server
	id, err := transportgrpc.Lend(within(t), r.broker, func(r grpc.ServiceRegistrar, _ any) { lent, _ = transportgrpc.Server(r) }, any(t))
	if err != nil {
		t.Fatal(err)
	}
	if lent == nil {
		t.Error("no server behind what Lend's register function gets")
	}
	borrowed, err := transportgrpc.Borrow(within(t), h.broker, id, func(conn grpc.ClientConnInterface) *grpc.ClientConn {
		own, _ := transportgrpc.ClientConn(conn)
		return own
	})
	if err != nil || borrowed == nil {
		t.Errorf("behind what Borrow's client function gets: %v, %v", borrowed, err)
	}
}

func TestUnwrapRefusesForeignTypes(t *testing.T) {
	if server, ok := transportgrpc.Server(struct{ grpc.ServiceRegistrar }{}); ok || server != nil {
		t.Errorf("got the server %v", server)
	}
	if conn, ok := transportgrpc.ClientConn(struct{ grpc.ClientConnInterface }{}); ok || conn != nil {
		t.Errorf("got the connection %v", conn)
	}
	if server, ok := transportgrpc.Server(nil); ok || server != nil {
		t.Errorf("nil: got the server %v", server)
	}
	if conn, ok := transportgrpc.ClientConn((*transportgrpc.Conn)(nil)); ok || conn != nil {
		t.Errorf("nil: got the connection %v", conn)
	}
}
