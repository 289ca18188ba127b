package transportgrpc

import (
	"context"
	"runtime"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/jackfield-go/jackfield/core"
)

// methods are the interceptors around each method of a server. They count the
// application's calls, cut them off, and answer for a method without an answer.
type methods struct {
	calls    *core.Calls // nil in a host: it counts none
	maxError int         // bounds an error's text and details, in bytes on the wire
}

// errLeaving answers calls after the last call in flight, errCutOff calls in flight at
// the timeout, and errNoAnswer calls of a method ended with its goroutine.
var (
	errLeaving  = status.Error(codes.Unavailable, "the plugin is leaving")
	errCutOff   = status.Error(codes.Unavailable, "the plugin is leaving, and does not wait for the call any longer")
	errNoAnswer = status.Error(codes.Internal, "the method ended its goroutine without an answer: "+
		"runtime.Goexit does that, and so does t.FailNow, t.Fatal or t.Skip of a test")
)

// unary runs a method. Its context ends when calls are cut off.
func (m methods) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	if isOurs(info.FullMethod) {
		return handle(ctx, req)
	}
	if !m.calls.Begin() {
		return nil, errLeaving
	}
	within, cancel := context.WithCancel(ctx)
	if m.calls != nil {
		defer context.AfterFunc(m.calls.Context(), cancel)()
	}
	answer, err := answered(ctx, func() (any, error) {
		defer m.calls.End()
		defer cancel()
		return handle(within, req)
	})
	if err != nil && m.calls != nil && m.calls.Context().Err() != nil {
		return nil, errCutOff
	}
	return answer, bounded(err, m.maxError)
}

// answered returns the results of run. If run ends its goroutine instead, the call has
// errNoAnswer. In newer versions of gRPC a deferred function can answer. In older
// versions run gets a goroutine of its own, at some microseconds a call.
func answered(ctx context.Context, run func() (any, error)) (answer any, err error) {
	returned := false
	if call, ok := grpc.ServerTransportStreamFromContext(ctx).(interface{ WriteStatus(*status.Status) error }); ok {
		defer onGoexit(&returned, func() { _ = call.WriteStatus(status.Convert(errNoAnswer)) })
		answer, err = run()
		returned = true
		return answer, err
	}
	done := make(chan struct{})
	go func() {
		defer onGoexit(&returned, func() {
			answer, err = nil, errNoAnswer
			close(done)
		})
		answer, err = run()
		returned = true
		close(done)
	}()
	<-done
	return answer, err
}

// onGoexit is for defer. It calls f if runtime.Goexit ends the goroutine. recover would
// tell as well, but would take a panic's stack away.
func onGoexit(returned *bool, f func()) {
	if *returned {
		return
	}
	var callers [4]uintptr
	frame, _ := runtime.CallersFrames(callers[:runtime.Callers(2, callers[:])]).Next()
	if frame.Function == "runtime.Goexit" { // it runs the deferred functions
		f()
	}
}

// stream runs a method beside itself. When calls are cut off it returns, and gRPC
// ends the stream and its context: the method may be waiting for a message.
func (m methods) stream(impl any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	if isOurs(info.FullMethod) {
		return handle(impl, stream)
	}
	if !m.calls.Begin() {
		return errLeaving
	}
	var cut <-chan struct{}
	if m.calls != nil {
		cut = m.calls.Context().Done()
	}
	returned := make(chan error, 1)
	go func() {
		defer m.calls.End()
		ended := false
		defer onGoexit(&ended, func() { returned <- errNoAnswer })
		err := handle(impl, stream)
		ended = true
		returned <- err
	}()
	select {
	case err := <-returned:
		return bounded(err, m.maxError)
	case <-cut:
		return errCutOff
	}
}
