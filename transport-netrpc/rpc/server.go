package rpc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"runtime"
	"strings"
	"sync"

	"github.com/jackfield-go/jackfield/core"
)

// DefaultService is the service of methods without a dot in their name: that of
// dispensed and brokered objects (protocol §4).
const DefaultService = "Plugin"

// DefaultMaxConcurrentCalls is the default limit of calls at a time for each
// connection.
const DefaultMaxConcurrentCalls = 8192

// maxErrorText limits the text of an error in a server's answer, in bytes.
const maxErrorText = 64 << 10

// ServerConfig sets a server up. The zero value is ready for use.
type ServerConfig struct {
	// MaxMessageSize bounds the arguments of a call, in bytes of gob. Below 1, it is
	// [DefaultMaxMessageSize].
	MaxMessageSize int
	// MaxConcurrentCalls limits the calls at a time; further calls wait on the wire. Below 1, it is [DefaultMaxConcurrentCalls].
	MaxConcurrentCalls int
	// Calls counts the calls in flight, and refuses them while a plugin leaves. nil
	// counts nothing.
	Calls *core.Calls
}

func (c ServerConfig) withDefaults() ServerConfig {
	if c.MaxMessageSize < 1 {
		c.MaxMessageSize = DefaultMaxMessageSize
	}
	if c.MaxConcurrentCalls < 1 {
		c.MaxConcurrentCalls = DefaultMaxConcurrentCalls
	}
	return c
}

// server serves one connection.
type server struct {
	services map[string]*Service
	limit    chan struct{} // a token for each call in flight
	calls    *core.Calls   // calls in flight; nil in a host
	writing  sync.Mutex
	writer   *messageWriter
}

// Serve answers calls of services, by their names, until the connection or ctx ends. It
// returns the error of the last read; [io.EOF] if the other side hung up. The context of
// the methods ends then too. Serve does not wait for them, for a method may end the
// connection.
func Serve(ctx context.Context, conn net.Conn, services map[string]*Service, cfg ServerConfig) error {
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithCancel(ctx)
	s := &server{
		services: services,
		limit:    make(chan struct{}, cfg.MaxConcurrentCalls),
		calls:    cfg.Calls,
		writer:   newMessageWriter(conn),
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	err := s.read(ctx, newMessageReader(conn, cfg.MaxMessageSize))
	cancel()
	stop()
	_ = conn.Close()
	return err
}

// read takes requests in, one after the other, and runs each on its own.
func (s *server) read(ctx context.Context, messages *messageReader) error {
	for {
		var header request
		if err := messages.header(&header); err != nil {
			return err
		}
		method, err := s.find(header.ServiceMethod)
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

// errLeaving answers calls after the last call in flight.
var errLeaving = errors.New("the plugin is leaving")

// run calls a method and answers.
func (s *server) run(ctx context.Context, method *method, header request, args reflect.Value) {
	defer s.calls.End()
	defer func() { <-s.limit }()
	returned := false
	defer func() {
		if !returned && exiting() {
			s.answer(header, invalidBody, fmt.Errorf("the method %s ended its goroutine and did not return: "+
				"it called runtime.Goexit, or FailNow, Fatal or Skip of a test", header.ServiceMethod))
		}
	}()
	reply, err := method.call(ctx, args)
	returned = true
	s.answer(header, reply, err)
}

// exiting reports whether the goroutine is in runtime.Goexit, and not in a panic.
// recover would tell too, but a recovered panic loses its text.
func exiting() bool {
	var callers [64]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(0, callers[:])])
	for {
		frame, more := frames.Next()
		switch frame.Function {
		case "runtime.Goexit":
			return true
		case "runtime.gopanic":
			return false
		}
		if !more {
			return false
		}
	}
}

// answer writes a response. An error of the connection shows in read too.
func (s *server) answer(to request, reply any, err error) {
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
	if len(header.Error) > maxErrorText {
		header.Error = strings.ToValidUTF8(header.Error[:maxErrorText], "") +
			fmt.Sprintf(" … (cut: the text has %d bytes)", len(header.Error))
	}
	if header.Error == "" {
		header.Error = fmt.Sprintf("an error of type %T without a text", err)
	}
	_ = s.writer.write(&header, invalidBody)
}

// find returns the method of a request.
func (s *server) find(serviceMethod string) (*method, error) {
	dot := strings.LastIndexByte(serviceMethod, '.')
	if dot < 0 {
		return nil, fmt.Errorf("rpc: the request names %q, which is not Service.Method", clip(serviceMethod))
	}
	object := s.services[serviceMethod[:dot]]
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

// clip limits a text of the other side's.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
