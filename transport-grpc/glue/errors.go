package glue

import (
	"errors"
	"fmt"
	"slices"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// maxSentinels limits the sentinels sent or received with one error.
const maxSentinels = 16

// Sentinel is an error named in a .proto file. Wrap it or return it as any other error:
// errors.Is finds it on the other side too. The text of the whole error is the same there.
// The wire form is a google.rpc.ErrorInfo among the details of the status, so code in
// another language can send and recognise it.
type Sentinel struct { //nolint:errname // Go calls a named error a sentinel
	domain, reason string
	code           codes.Code
	text           string
}

// NewSentinel returns the error called reason in domain, commonly the names of a constant
// and of its enum. A call that fails with it has the status code.
func NewSentinel(domain, reason string, code codes.Code, text string) *Sentinel {
	return &Sentinel{domain, reason, code, text}
}

func (s *Sentinel) Error() string { return s.text }

// Is reports whether target is a Sentinel of the same domain and reason.
func (s *Sentinel) Is(target error) bool {
	other, ok := target.(*Sentinel)
	return ok && s != nil && other != nil && s.domain == other.domain && s.reason == other.reason
}

// Error is an error from the other side's implementation, with the same text. It unwraps to
// the sentinels in the tree of the original error. status.FromError finds its status.
type Error struct {
	status    *status.Status
	sentinels []error
}

func (e *Error) Error() string { return e.status.Message() }

// Unwrap returns the sentinels.
func (e *Error) Unwrap() []error { return slices.Clone(e.sentinels) }

// GRPCStatus returns the status of the call.
func (e *Error) GRPCStatus() *status.Status { return e.status }

// ToStatus returns err as a status error for gRPC. The details of the status are the
// sentinels of err, and its code is the code of the first. An error without sentinels is
// returned unchanged, and gRPC sends its status if it has one.
func ToStatus(err error) error {
	sentinels := sentinelsOf(nil, err)
	if len(sentinels) == 0 {
		return err
	}
	details := make([]protoadapt.MessageV1, 0, len(sentinels))
	for _, s := range sentinels {
		details = append(details, &errdetails.ErrorInfo{Domain: s.domain, Reason: s.reason})
	}
	sent := status.New(sentinels[0].code, err.Error())
	if detailed, err := sent.WithDetails(details...); err == nil {
		sent = detailed
	}
	return sent.Err()
}

// sentinelsOf adds the sentinels in the tree of err to found.
func sentinelsOf(found []*Sentinel, err error) []*Sentinel {
	if s, ok := err.(*Sentinel); ok && s != nil { //nolint:errorlint // this function walks the tree
		if len(found) < maxSentinels && !slices.ContainsFunc(found, func(f *Sentinel) bool { return f.Is(s) }) {
			found = append(found, s)
		}
		return found
	}
	switch err := err.(type) { //nolint:errorlint // the same
	case interface{ Unwrap() error }:
		return sentinelsOf(found, err.Unwrap())
	case interface{ Unwrap() []error }:
		for _, one := range err.Unwrap() {
			found = sentinelsOf(found, one)
		}
	}
	return found
}

// FromStatus is the reverse of [ToStatus], for an error of a call. An implementation's error
// without a status becomes an [Error] too. FromStatus returns all other errors unchanged,
// among them the transport's errors for a lost connection or an ended context.
func FromStatus(err error) error {
	s, ok := status.FromError(err)
	if !ok || err == nil || s.Code() == codes.OK {
		return err
	}
	if call := (*transportgrpc.CallError)(nil); errors.As(err, &call) {
		return err
	}
	var sentinels []error
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && len(sentinels) < maxSentinels {
			sentinels = append(sentinels, NewSentinel(info.GetDomain(), info.GetReason(), s.Code(), s.Message()))
		}
	}
	if len(sentinels) == 0 && s.Code() != codes.Unknown {
		return err
	}
	return &Error{s, sentinels}
}

// ErrNotFaked is the error of a generated fake's method if its function is not set. The
// reported error also has the method's name.
var ErrNotFaked = errors.New("the fake has no function for this method")

// NotFaked returns an error that wraps [ErrNotFaked] and begins with the method's name.
func NotFaked(method string) error { return fmt.Errorf("%s: %w", method, ErrNotFaked) }

// Failed returns a sequence of err alone.
func Failed[T any](err error) func(yield func(*T, error) bool) {
	return func(yield func(*T, error) bool) { yield(nil, err) }
}
