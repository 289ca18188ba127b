package transportgrpc

import "google.golang.org/grpc"

// ClientConn returns gRPC's own type behind conn, for libraries that require it. conn is
// the argument of the client function of [Carry] or [Borrow], or a [Conn]; other values
// return false. The transport closes the connection.
func ClientConn(conn grpc.ClientConnInterface) (*grpc.ClientConn, bool) {
	switch conn := conn.(type) {
	case *grpc.ClientConn:
		return conn, conn != nil
	case *Conn:
		if conn != nil {
			unwrapped := conn.unwrap()
			return unwrapped, unwrapped != nil
		}
	}
	return nil, false
}

// Server returns gRPC's own type behind r, for libraries that require it. r is the
// argument of the register function of [Carry], [Lend] or [Broker.Serve]; other values
// return false. The transport serves and stops the server. Registering a service twice
// on the server ends the program; on r it is an error.
func Server(r grpc.ServiceRegistrar) (*grpc.Server, bool) {
	switch r := r.(type) {
	case *grpc.Server:
		return r, r != nil
	case *registrar:
		server := r.unwrap()
		return server, server != nil
	}
	return nil, false
}
