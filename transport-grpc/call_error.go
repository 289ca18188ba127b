package transportgrpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/core"
)

// CallError is the error of a failed call: its context ended, the connection was lost
// or closed, or the plugin does not serve the method. It has gRPC's status (Unavailable
// for a lost connection, Canceled for a closed connection). It unwraps to the known
// reasons: the context's error and its cause, the [core.ExitError] of the plugin's
// process, [core.ErrConnectionLost], [core.ErrClosed].
type CallError struct {
	status *status.Status
	reason error
}

// Error begins with the end of the plugin's process, if that is the reason.
func (e *CallError) Error() string {
	var exit *core.ExitError
	if errors.As(e.reason, &exit) {
		return fmt.Sprintf("%v: %v (%s: %s)", exit, core.ErrConnectionLost, e.status.Code(), e.status.Message())
	}
	return fmt.Sprintf("rpc error: code = %s desc = %v", e.status.Code(), e.reason)
}

// Unwrap returns the reason.
func (e *CallError) Unwrap() error { return e.reason }

// GRPCStatus returns gRPC's status of the call, with the reason in its text:
// status.Code and status.FromError find it.
func (e *CallError) GRPCStatus() *status.Status {
	p := e.status.Proto()
	p.Message = e.reason.Error()
	var exit *core.ExitError
	if errors.As(e.reason, &exit) {
		p.Message = fmt.Sprintf("%v: %v", exit, core.ErrConnectionLost)
	}
	return status.FromProto(p)
}

// explainer adds the reason to the errors of calls. It is the outermost interceptor.
type explainer struct {
	lost    func(p *peer.Peer) bool                    // whether the call's connection is lost
	closing func() bool                                // whether the host has asked the plugin to leave
	reason  func(ctx context.Context, err error) error // nil in a plugin, as is closing
	version int                                        // the negotiated version; 0 on brokered connections

	references bool // the connection carries calls to lent services
}

// explain joins the reason to an error caused by the end of the context or of the
// connection.
func (e explainer) explain(ctx context.Context, p *peer.Peer, err error) error {
	s, ok := status.FromError(err)
	if err == nil || errors.Is(err, io.EOF) || !ok {
		return err
	}
	switch {
	case ctx.Err() != nil, s.Code() == codes.DeadlineExceeded && overdue(ctx):
		return endOf(ctx, s, err)
	case e.reason != nil && fromConnection(s.Code()) && e.lost(p):
		return lostCall(s, e.reason(ctx, fmt.Errorf("%w: %s", core.ErrConnectionLost, s.Message())))
	case e.closing != nil && e.closing() && s.Code() == codes.Unavailable:
		return &CallError{status: s, reason: fmt.Errorf("%w: %s", core.ErrClosed, s.Message())}
	default:
		return e.unserved(s, err)
	}
}

// unserved adds the reason if the other side does not serve the method.
func (e explainer) unserved(s *status.Status, err error) error {
	switch {
	case e.references && isUnclaimed(s):
		return &CallError{status: s, reason: fmt.Errorf("%w: it was lent until a context ended, or never", broker.ErrUnclaimed)}
	case e.version != 0 && isUnknown(s):
		reason := fmt.Errorf("%s: the plugin does not serve it under version %d, the negotiated version: "+
			"install a release of the plugin that was made for this host", s.Message(), e.version)
		return &CallError{status: s, reason: core.WithHint(reason,
			"the plugin was built from another .proto file, or registers the service under another version")}
	default:
		return err
	}
}

// isUnknown reports whether a server's library has answered Unimplemented for an
// unregistered service or method: grpc-go, gRPC's C core or JavaScript's library.
func isUnknown(s *status.Status) bool {
	if s.Code() != codes.Unimplemented {
		return false
	}
	for _, start := range []string{
		"unknown service ", "unknown method ", "Method not found!", "The server does not implement the method",
	} {
		if strings.HasPrefix(s.Message(), start) {
			return true
		}
	}
	return false
}

// overdue reports whether ctx is past its deadline, and waits until its timer has run.
// The other side has the deadline too, and on a busy machine its end of the call
// arrives before this side's timer.
func overdue(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	if !ok || time.Now().Before(deadline) {
		return false
	}
	<-ctx.Done()
	return true
}

// lostCall is the error of a call over a lost connection. gRPC reports later calls as
// canceled; but nobody has canceled them unless the host has closed the plugin.
func lostCall(s *status.Status, reason error) error {
	if s.Code() == codes.Canceled && !errors.Is(reason, core.ErrClosed) {
		s = status.New(codes.Unavailable, s.Message())
	}
	return &CallError{status: s, reason: reason}
}

// endOf is the error of a call after the end of its context, unless the call failed
// before for another reason.
func endOf(ctx context.Context, s *status.Status, err error) error {
	if s.Code() != codes.Canceled && s.Code() != codes.DeadlineExceeded {
		return err
	}
	reason := ctx.Err()
	if cause := context.Cause(ctx); !errors.Is(cause, reason) {
		reason = fmt.Errorf("%w: %w", reason, cause)
	} else {
		reason = cause
	}
	return &CallError{status: s, reason: reason}
}

// fromConnection reports whether gRPC uses the code for calls over an ended
// connection.
func fromConnection(code codes.Code) bool {
	switch code {
	case codes.Unavailable, codes.Canceled, codes.Internal, codes.Unknown:
		return true
	default:
		return false
	}
}
