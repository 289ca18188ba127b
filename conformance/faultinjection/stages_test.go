//go:build unix

package faultinjection

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/probe"
	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
)

// stage is a stage in the life of a plugin.
type stage string

const (
	beforeLine stage = "before the line"
	handshake  stage = "during the handshake" // the host has the line, and has not connected
	idle       stage = "idle"
	inCall     stage = "in a call"
	inStream   stage = "in a stream"
	inBroker   stage = "in a brokered call"
	stopping   stage = "while stopping" // the plugin has agreed to leave, and is still there
)

func stages() []stage {
	return []stage{beforeLine, handshake, idle, inCall, inStream, inBroker, stopping}
}

// launching reports whether the launch has not returned yet.
func (s stage) launching() bool { return s == beforeLine || s == handshake }

// operation is an operation under way; the zero value is none.
type operation struct {
	done <-chan error
	// release lets the operation end without an error. It may be called again.
	release func()
}

// begin brings a plugin to a stage. An operation ends with ctx at the latest.
func (s *subject) begin(ctx context.Context, at stage) (operation, error) {
	if begin := map[stage]func(context.Context) (operation, error){
		inCall:   s.beginCall,
		inStream: s.beginStream,
		inBroker: s.beginBrokered,
	}[at]; begin != nil {
		return begin(ctx)
	}
	return operation{}, nil
}

// start runs an operation, which calls began once it is under way.
func start(ctx context.Context, release func(), run func(began func()) error) (operation, error) {
	began, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- run(sync.OnceFunc(func() { close(began) })) }()
	op := operation{done, sync.OnceFunc(release)}
	select {
	case <-began:
		return op, nil
	case err := <-done:
		return op, fmt.Errorf("it ended before it began: %w", err)
	case <-ctx.Done():
		return op, context.Cause(ctx)
	}
}

func (s *subject) beginCall(ctx context.Context) (operation, error) {
	if s.netrpc != nil {
		return start(ctx, func() { _ = s.netrpc.Release(ctx) }, func(began func()) error {
			began()
			return s.netrpc.Block(ctx)
		})
	}
	calling, cancel := context.WithCancel(ctx)
	return start(ctx, cancel, func(began func()) error {
		began()
		_, err := s.grpc.Sleep(calling, &conformancev1.SleepRequest{Duration: durationpb.New(2 * patience)})
		if status.Code(err) == codes.Canceled && calling.Err() != nil && ctx.Err() == nil {
			err = nil // released
		}
		return err
	})
}

// beginStream begins a stream of calls, or of bytes over net/rpc.
func (s *subject) beginStream(ctx context.Context) (operation, error) {
	released := make(chan struct{})
	release := func() { close(released) }
	if s.netrpc == nil {
		return start(ctx, release, func(began func()) error { return s.chat(ctx, began, released) })
	}
	return start(ctx, release, func(began func()) error {
		id := s.netrpc.Conns.NextID()
		written := make(chan error, 1)
		go func() { written <- s.write(ctx, id, began, released) }()
		_, err := s.netrpc.ReadAll(ctx, id)
		return errors.Join(err, <-written)
	})
}

// write writes a stream of bytes.
func (s *subject) write(ctx context.Context, id uint32, began func(), released <-chan struct{}) error {
	conn, err := s.netrpc.Conns.Accept(ctx, id)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	const window = 256 << 10 // more than yamux takes until the plugin has begun to read
	if _, err := conn.Write(make([]byte, 2*window)); err != nil {
		return err
	}
	began()
	ended := make(chan error, 1)
	go func() {
		_, err := conn.Read(make([]byte, 1)) // until the end: the plugin writes nothing
		ended <- err
	}()
	select {
	case <-released:
		_ = conn.Close()
		<-ended
		return nil
	case err := <-ended:
		return err
	case <-ctx.Done():
		_ = conn.Close()
		<-ended
		return context.Cause(ctx)
	}
}

func (s *subject) chat(ctx context.Context, began func(), released <-chan struct{}) error {
	stream, err := s.grpc.Chat(ctx)
	if err != nil {
		return err
	}
	if err := stream.Send(&conformancev1.ChatRequest{Text: "hello"}); err != nil {
		return err
	}
	if _, err := stream.Recv(); err != nil {
		return err
	}
	began()
	ended := make(chan error, 1)
	go func() {
		_, err := stream.Recv()
		ended <- err
	}()
	select {
	case <-released:
		err = errors.Join(stream.CloseSend(), <-ended)
	case err = <-ended:
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// beginBrokered lets the plugin call the host over a brokered connection.
func (s *subject) beginBrokered(ctx context.Context) (operation, error) {
	released := make(chan struct{})
	return start(ctx, func() { close(released) }, func(began func()) error {
		answer := func(ctx context.Context) error {
			began()
			select {
			case <-released:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		if s.netrpc == nil {
			return s.callBack(ctx, answer)
		}
		return s.callBackNetRPC(ctx, answer)
	})
}

func (s *subject) callBackNetRPC(ctx context.Context, answer func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	id := s.netrpc.Conns.NextID()
	served := make(chan struct{})
	go func() {
		defer close(served)
		conn, err := s.netrpc.Conns.Accept(ctx, id)
		if err == nil {
			shared.ServeAsker(conn, shared.AskerFunc(func(string) (string, error) { return "", answer(ctx) }))
		}
	}()
	_, err := s.netrpc.Callback(ctx, id, "who?")
	cancel()
	<-served
	return err
}

func (s *subject) callBack(ctx context.Context, answer func(context.Context) error) error {
	serving, err := probe.Serve(ctx, s.grpc.Broker, false, func(r grpc.ServiceRegistrar, _ uint32) {
		conformancev1.RegisterHostServiceServer(r, blocking{answer: answer})
	})
	if err != nil {
		return err
	}
	_, err = s.grpc.Callback(ctx, &conformancev1.CallbackRequest{BrokerId: serving.ID, Question: "who?"})
	return errors.Join(err, serving.Stop())
}

// blocking is a service of the host that does not answer at once.
type blocking struct {
	conformancev1.UnimplementedHostServiceServer

	answer func(context.Context) error
}

// Answer answers once the operation is released.
func (b blocking) Answer(ctx context.Context, _ *conformancev1.AnswerRequest) (*conformancev1.AnswerResponse, error) {
	return &conformancev1.AnswerResponse{}, b.answer(ctx)
}
