package transportnetrpc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"strings"
	"sync"
)

// pluginService is the service name of dispensed and brokered objects
// (protocol §4).
const pluginService = "Plugin"

// services are the objects that one connection can call, by service name.
type services map[string]*service

// rpcServer serves one connection.
type rpcServer struct {
	services services
	limit    chan struct{} // a token for each call in flight
	flight   *flight       // counts calls for an orderly end; nil: they do not count
	writing  sync.Mutex
	writer   *messageWriter
}

// serveConn answers calls until the connection or ctx ends. The context of the
// methods ends then too; it does not wait for them, for a method may be what
// ends the connection.
func serveConn(ctx context.Context, conn net.Conn, objects services, maxCalls int, inFlight *flight) {
	ctx, cancel := context.WithCancel(ctx)
	s := &rpcServer{
		services: objects,
		limit:    make(chan struct{}, maxCalls),
		flight:   inFlight,
		writer:   newMessageWriter(conn),
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	s.read(ctx, newMessageReader(conn))
	cancel()
	stop()
	_ = conn.Close()
}

// read takes requests in, one after the other, and runs each on its own.
func (s *rpcServer) read(ctx context.Context, messages *messageReader) {
	for {
		var header request
		if err := messages.header(&header); err != nil {
			return
		}
		method, err := s.services.find(header.ServiceMethod)
		if err != nil {
			if _, skipErr := messages.body(nil); skipErr != nil && messages.broken() {
				return
			}
			s.answer(header, invalidBody, err)
			continue
		}
		args, err := messages.body(method.args)
		if err != nil {
			if messages.broken() {
				return
			}
			s.answer(header, invalidBody, fmt.Errorf("the arguments of %s cannot be decoded: %w", header.ServiceMethod, err))
			continue
		}
		select {
		case s.limit <- struct{}{}:
		case <-ctx.Done():
			return
		}
		s.flight.begin()
		go s.run(ctx, method, header, args)
	}
}

// run calls a method and answers.
func (s *rpcServer) run(ctx context.Context, method *method, header request, args reflect.Value) {
	defer s.flight.end()
	defer func() { <-s.limit }()
	reply, err := method.call(ctx, args)
	s.answer(header, reply, err)
}

// answer writes a response. An error of the connection shows in read too.
func (s *rpcServer) answer(to request, reply any, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	header := response{ServiceMethod: to.ServiceMethod, Seq: to.Seq}
	if err == nil {
		var bad encodeError
		if err = s.writer.write(&header, reply); !errors.As(err, &bad) {
			return
		}
		err = fmt.Errorf("the answer of %s cannot be encoded: %w", to.ServiceMethod, bad)
	}
	header.Error = err.Error()
	if header.Error == "" {
		header.Error = fmt.Sprintf("an error of type %T without a text", err)
	}
	_ = s.writer.write(&header, invalidBody)
}

// find returns the method that a request names.
func (s services) find(serviceMethod string) (*method, error) {
	dot := strings.LastIndexByte(serviceMethod, '.')
	if dot < 0 {
		return nil, fmt.Errorf("rpc: the request names %q, which is not Service.Method", clip(serviceMethod))
	}
	object := s[serviceMethod[:dot]]
	if object == nil {
		return nil, fmt.Errorf("rpc: can't find service %s", clip(serviceMethod))
	}
	m := object.methods[serviceMethod[dot+1:]]
	if reason := object.unfit[serviceMethod[dot+1:]]; reason != nil {
		return nil, fmt.Errorf("rpc: can't find method %s: it %w", clip(serviceMethod), reason)
	}
	if m == nil {
		return nil, fmt.Errorf("rpc: can't find method %s", clip(serviceMethod))
	}
	return m, nil
}

// clip bounds a text that the other side sent.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// flight counts the calls that an orderly end waits for.
type flight struct {
	mu    sync.Mutex
	calls int
	idle  chan struct{} // closed when calls gets to 0; nil while nobody waits
}

func (f *flight) begin() {
	if f == nil {
		return
	}
	f.mu.Lock()
	f.calls++
	f.mu.Unlock()
}

func (f *flight) end() {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls--
	if f.calls == 0 && f.idle != nil {
		close(f.idle)
		f.idle = nil
	}
}

// wait returns when no call is in flight, or with ctx's error.
func (f *flight) wait(ctx context.Context) error {
	f.mu.Lock()
	if f.calls == 0 {
		f.mu.Unlock()
		return nil
	}
	if f.idle == nil {
		f.idle = make(chan struct{})
	}
	idle := f.idle
	f.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
