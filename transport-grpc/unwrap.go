package transportgrpc

import "google.golang.org/grpc"

// ClientConn returns gRPC's own type behind conn, for a library that takes nothing
// else: conn is what the client function of [Carry] or [Borrow] gets, or a [Conn].
// It returns false for anything else. The transport closes the connection.
func ClientConn(conn grpc.ClientConnInterface) (*grpc.ClientConn, bool) {
	switch conn := conn.(type) {
	case *grpc.ClientConn:
		return conn, conn != nil
	case *Conn:
		if conn != nil {
			return conn.grpc, true
		}
	}
	return nil, false
}

// Server returns gRPC's own type behind r, for a library that takes nothing else: r
// is what the register function of [Carry], [Lend] or [Broker.Serve] gets. It
// returns false for anything else. The transport serves and stops the server. A
// service that is registered on it twice ends the program, on r it is an error.
func Server(r grpc.ServiceRegistrar) (*grpc.Server, bool) {
	switch r := r.(type) {
	case *grpc.Server:
		return r, r != nil
	case *registrar:
		return r.server, true
	}
	return nil, false
}
