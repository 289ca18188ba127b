package transportgrpc

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/jackfield-go/jackfield/broker/exchange"
	"github.com/jackfield-go/jackfield/proto/streampb"
)

// lender serves what this side lends over one scheme. All lendings share a server, and a
// connection of the other side's. gRPC's servers take no service more once they serve: a
// lending with a new service then begins another server, for all later lendings.
type lender struct {
	broker *Broker
	scheme exchange.Scheme

	mu      sync.Mutex
	servers []*lendingServer // by number; the last is for new lendings
	last    uint32           // of the numbers given out
}

// lendingServer serves lendings. Its lender's lock guards its fields.
type lendingServer struct {
	lender   *lender
	number   uint32
	ctx      context.Context // ends with the server
	cancel   context.CancelFunc
	listener net.Listener
	serving  bool // services is final
	services map[string]*grpc.ServiceDesc
	lent     map[uint32]*lent
}

// lent are the services of one reference.
type lent struct {
	ctx      context.Context
	services []registered

	mu    sync.Mutex
	ownID uint32 // 0 until asked for
}

// impl returns the implementation of a service, or nil.
func (l *lent) impl(service string) any {
	for _, s := range l.services {
		if s.desc.ServiceName == service {
			return s.impl
		}
	}
	return nil
}

// lenderOf returns the lender for a scheme.
func (b *Broker) lenderOf(ex exchange.Scheme) *lender {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lenders[ex]
	if l == nil {
		l = &lender{broker: b, scheme: ex, last: firstNumber - 1}
		b.lenders[ex] = l
	}
	return l
}

// lend returns a reference of the services until ctx ends; 0 if they cannot share a server.
func (l *lender) lend(ctx context.Context, services []registered) (uint32, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, err := l.serverFor(services)
	if s == nil || err != nil {
		return 0, err
	}
	number, ok := l.free(s)
	if !ok {
		return 0, nil
	}
	l.put(ctx, s, number, services)
	return referenceOf(s.number, number), nil
}

// put enters a lending. It is called with the lock.
func (l *lender) put(ctx context.Context, s *lendingServer, number uint32, services []registered) {
	s.lent[number] = &lent{ctx: ctx, services: services}
	context.AfterFunc(ctx, func() { l.forget(s, number) })
}

// free returns a number without a lending.
func (l *lender) free(s *lendingServer) (uint32, bool) {
	if len(s.lent) > maxNumber/2 {
		return 0, false
	}
	for {
		if l.last++; l.last > maxNumber {
			l.last = firstNumber
		}
		if s.lent[l.last] == nil {
			return l.last, true
		}
	}
}

// forget ends a lending, and a server before the last one after its last lending.
func (l *lender) forget(s *lendingServer, number uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(s.lent, number)
	if len(s.lent) == 0 && s != l.servers[len(l.servers)-1] {
		s.cancel()
	}
}

// serverFor returns a server with the services, or nil if they need one of their own: for a
// second service of a name, or after too many servers. It is called with the lock.
func (l *lender) serverFor(services []registered) (*lendingServer, error) {
	var last *lendingServer
	var known map[string]*grpc.ServiceDesc
	if n := len(l.servers); n > 0 {
		last = l.servers[n-1]
		known = last.services
	}
	added := false
	for _, service := range services {
		switch desc := known[service.desc.ServiceName]; desc {
		case service.desc:
		case nil:
			added = true
		default:
			return nil, nil //nolint:nilnil // no server, and no error
		}
	}
	if last == nil || added && last.serving {
		if len(l.servers) == maxServers {
			return nil, nil //nolint:nilnil // the same
		}
		var err error
		if last, err = l.begin(known); err != nil {
			return nil, err
		}
	}
	if !last.serving {
		for _, service := range services {
			last.services[service.desc.ServiceName] = service.desc
		}
	}
	return last, nil
}

// begin adds a server for these services and more. It makes no socket: the other side's first
// call does. All have the service of readers and writers.
func (l *lender) begin(known map[string]*grpc.ServiceDesc) (*lendingServer, error) {
	services := map[string]*grpc.ServiceDesc{
		streampb.ByteStreamService_ServiceDesc.ServiceName: &streampb.ByteStreamService_ServiceDesc,
	}
	maps.Copy(services, known)
	s := &lendingServer{lender: l, number: uint32(len(l.servers)), services: services, lent: make(map[uint32]*lent)}
	id := referenceOf(s.number, 0)
	var err error
	if plain, ok := l.scheme.(*exchange.Plain); ok {
		s.listener, err = plain.ListenOnDemand(id)
	} else {
		s.listener, err = l.scheme.Listen(context.Background(), id)
	}
	if err != nil {
		return nil, closed(err)
	}
	if !l.broker.begin() {
		_ = s.listener.Close()
		return nil, errConnClosed
	}
	s.ctx, s.cancel = l.broker.within(context.Background())
	l.servers = append(l.servers, s)
	go s.serve()
	return s, nil
}

// serve waits for the other side's first connection, and serves it and others.
func (s *lendingServer) serve() {
	b := s.lender.broker
	defer b.serving.Done()
	defer s.cancel()
	listener := b.secureListener(s.listener, forHTTP2(b.security))
	closing := context.AfterFunc(s.ctx, func() { _ = listener.Close() })
	defer closing()
	first, err := listener.Accept()
	if err != nil {
		_ = listener.Close()
		return
	}
	server := newGRPCServer(b.options.serverOptions(b.security, b.calls, 0)...)
	s.register(server)
	stop := context.AfterFunc(s.ctx, server.Stop)
	defer stop()
	accepted := make(chan net.Conn, 1)
	accepted <- first
	_ = server.Serve(&lenderListener{Listener: listener, first: accepted, caller: caller{host: s.lender.scheme, broker: b}})
	server.Stop()
}

// lenderListener is a listener with its first connection accepted before. Its connections
// name their host.
type lenderListener struct {
	net.Listener

	first  chan net.Conn
	caller caller
}

func (l *lenderListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.first:
		return hostConn{Conn: conn, caller: l.caller}, nil
	default:
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return hostConn{Conn: conn, caller: l.caller}, nil
}

func (l *lenderListener) Close() error {
	select {
	case conn := <-l.first:
		_ = conn.Close()
	default:
	}
	return l.Listener.Close()
}

// register puts the services on a server. From then on they are final.
func (s *lendingServer) register(server *grpcServer) {
	s.lender.mu.Lock()
	s.serving = true
	services := slices.Collect(maps.Values(s.services))
	s.lender.mu.Unlock()
	for _, desc := range services {
		server.RegisterService(s.routed(desc), nil)
	}
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: lendingService,
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "OwnID", Handler: s.giveOwnID}},
	}, nil)
}

// A lending is served at an ID of its own once the other side asks for it: to dial without
// gRPC, or with options. The method takes an Empty and returns a UInt32Value.
const (
	lendingService = "jackfield.plugin.v1.LendingService"
	lendingOwnID   = "/" + lendingService + "/OwnID"
)

func (s *lendingServer) giveOwnID(
	_ any, ctx context.Context, dec func(any) error, chain grpc.UnaryServerInterceptor, //nolint:revive // gRPC's order
) (any, error) {
	in := new(emptypb.Empty)
	if err := dec(in); err != nil {
		return nil, err
	}
	handle := func(ctx context.Context, _ any) (any, error) {
		l, err := s.find(ctx, lendingService)
		if err != nil {
			return nil, err
		}
		id, err := l.serveOwn(s.lender.broker)
		if err != nil {
			return nil, status.Error(codes.Unavailable, err.Error())
		}
		return wrapperspb.UInt32(id), nil
	}
	if chain == nil {
		return handle(ctx, in)
	}
	return chain(ctx, in, &grpc.UnaryServerInfo{Server: s, FullMethod: lendingOwnID}, handle)
}

// serveOwn serves the lending at an ID of its own, and returns the ID.
func (l *lent) serveOwn(b *Broker) (uint32, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ownID != 0 {
		return l.ownID, nil
	}
	server := newGRPCServer(b.options.serverOptions(b.security, b.calls, 0)...)
	for _, service := range l.services {
		server.RegisterService(service.desc, service.impl)
	}
	id := b.NextID()
	serve, err := b.prepared(l.ctx, id, server)
	if err != nil {
		return 0, err
	}
	l.ownID = id
	go func() { _ = serve() }() // it ends with the lending
	return id, nil
}

// routed returns a service whose methods find their implementation by the call's reference.
func (s *lendingServer) routed(desc *grpc.ServiceDesc) *grpc.ServiceDesc {
	made := &grpc.ServiceDesc{ServiceName: desc.ServiceName, HandlerType: (*any)(nil), Metadata: desc.Metadata}
	for _, method := range desc.Methods {
		handle := method.Handler
		method.Handler = func(_ any, ctx context.Context, dec func(any) error, chain grpc.UnaryServerInterceptor) (any, error) {
			l, err := s.find(ctx, desc.ServiceName)
			if err != nil {
				return nil, err
			}
			return l.unary(ctx, func(ctx context.Context) (any, error) {
				return handle(l.impl(desc.ServiceName), ctx, dec, chain)
			})
		}
		made.Methods = append(made.Methods, method)
	}
	for _, stream := range desc.Streams {
		handle := stream.Handler
		stream.Handler = func(_ any, stream grpc.ServerStream) error {
			l, err := s.find(stream.Context(), desc.ServiceName)
			if err != nil {
				return err
			}
			return l.stream(func() error { return handle(l.impl(desc.ServiceName), stream) })
		}
		made.Streams = append(made.Streams, stream)
	}
	return made
}

// unclaimed is the text of a call's error for an ID with nothing lent. The caller's side knows
// it.
const unclaimed = "jackfield: nothing is lent under this ID"

func isUnclaimed(s *status.Status) bool {
	return s.Code() == codes.Unavailable && s.Message() == unclaimed
}

// find returns the lending of a call.
func (s *lendingServer) find(ctx context.Context, service string) (*lent, error) {
	var id uint64
	if values := metadata.ValueFromIncomingContext(ctx, referenceKey); len(values) == 1 {
		id, _ = strconv.ParseUint(values[0], 10, 32)
	}
	server, number := splitReference(uint32(id))
	s.lender.mu.Lock()
	l := s.lent[number]
	s.lender.mu.Unlock()
	switch {
	case id < firstReference, server != s.number, l == nil, l.ctx.Err() != nil:
		return nil, status.Error(codes.Unavailable, unclaimed)
	case service != lendingService && l.impl(service) == nil:
		return nil, status.Error(codes.Unimplemented, fmt.Sprint("unknown service ", service)) // gRPC's text
	default:
		return l, nil
	}
}

// errLendingEnded answers the calls in flight at the end of a lending.
var errLendingEnded = status.Error(codes.Unavailable, "the context of the lending has ended")

// unary runs a method until the lending ends. A method deaf to its context runs on, without
// its caller.
func (l *lent) unary(ctx context.Context, run func(context.Context) (any, error)) (any, error) {
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	call, ok := grpc.ServerTransportStreamFromContext(ctx).(interface{ WriteStatus(*status.Status) error })
	if ok {
		defer context.AfterFunc(l.ctx, func() {
			cancel()
			_ = call.WriteStatus(status.Convert(errLendingEnded))
		})()
		return run(within)
	}
	defer context.AfterFunc(l.ctx, cancel)()
	var answer any
	err := l.stream(func() (err error) {
		answer, err = run(within)
		return err
	})
	if l.ctx.Err() != nil {
		return nil, errLendingEnded
	}
	return answer, err
}

// stream runs a method in a goroutine. At the end of the lending it returns, and gRPC ends the
// method's stream and context.
func (l *lent) stream(run func() error) error {
	returned := make(chan error, 1)
	go func() {
		ended := false
		defer onGoexit(&ended, func() { returned <- errNoAnswer })
		err := run()
		ended = true
		returned <- err
	}()
	select {
	case err := <-returned:
		return err
	case <-l.ctx.Done():
		return errLendingEnded
	}
}
