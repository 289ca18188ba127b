package transportnetrpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"reflect"
	"strings"
	"sync"

	"github.com/jackfield-go/jackfield/core"
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
	calls    *core.Calls   // those in flight; nil in a host
	writing  sync.Mutex
	writer   *messageWriter
}

// serveConn answers calls until the connection or ctx ends, and returns what it
// could not read on for; [io.EOF] if the other side hung up. The context of the
// methods ends then too; it does not wait for them, for a method may be what
// ends the connection.
func serveConn(ctx context.Context, conn net.Conn, objects services, o options, calls *core.Calls) error {
	ctx, cancel := context.WithCancel(ctx)
	s := &rpcServer{
		services: objects,
		limit:    make(chan struct{}, o.maxCalls),
		calls:    calls,
		writer:   newMessageWriter(conn),
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	err := s.read(ctx, newMessageReader(conn, o.maxMessage))
	cancel()
	stop()
	_ = conn.Close()
	return err
}

// logTooLarge says why a connection has ended whose other side cannot be told.
func logTooLarge(logger *slog.Logger, err error) {
	var tooLarge *MessageSizeError
	if errors.As(err, &tooLarge) {
		logger.Warn("a connection of the other side's was ended: its message is too large (WithMaxMessageSize)",
			"bytes", tooLarge.Size, "limit", tooLarge.Limit)
	}
}

// read takes requests in, one after the other, and runs each on its own.
func (s *rpcServer) read(ctx context.Context, messages *messageReader) error {
	for {
		var header request
		if err := messages.header(&header); err != nil {
			return err
		}
		method, err := s.services.find(header.ServiceMethod)
		if err != nil {
			if _, skipErr := messages.body(nil); skipErr != nil && messages.broken() {
				return skipErr
			}
			s.answer(header, invalidBody, err)
			continue
		}
		args, err := messages.body(method.args)
		if err != nil {
			if messages.broken() {
				return err
			}
			s.answer(header, invalidBody, fmt.Errorf("the arguments of %s cannot be decoded: %w", header.ServiceMethod, err))
			continue
		}
		select {
		case s.limit <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if !s.calls.Begin() {
			<-s.limit
			s.answer(header, invalidBody, errLeaving)
			continue
		}
		go s.run(ctx, method, header, args)
	}
}

// errLeaving answers calls that begin after those in flight have finished.
var errLeaving = errors.New("the plugin is leaving")

// run calls a method and answers.
func (s *rpcServer) run(ctx context.Context, method *method, header request, args reflect.Value) {
	defer s.calls.End()
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
