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

// maxSentinels is how many sentinels of one error are sent or received, at most.
const maxSentinels = 16

// Sentinel is an error that a .proto file names. Wrap it or return it as any other error:
// errors.Is finds it on the other side too, where the text of the whole error is the same.
// Over the wire it is a google.rpc.ErrorInfo among the details of the status, so a side in
// another language can send it and recognise it.
type Sentinel struct { //nolint:errname // it is what Go calls an error with a name
	domain, reason string
	code           codes.Code
	text           string
}

// NewSentinel returns the error called reason in domain, commonly the names of a constant
// and of its enum. code is the status of calls that fail with it.
func NewSentinel(domain, reason string, code codes.Code, text string) *Sentinel {
	return &Sentinel{domain, reason, code, text}
}

func (s *Sentinel) Error() string { return s.text }

// Is reports whether target is a Sentinel of the same domain and reason.
func (s *Sentinel) Is(target error) bool {
	other, ok := target.(*Sentinel)
	return ok && s != nil && other != nil && s.domain == other.domain && s.reason == other.reason
}

// Error is an error that the other side's implementation returned. Its text is the text
// there. It unwraps to the sentinels that it was there, and status.FromError finds its
// status.
type Error struct {
	status    *status.Status
	sentinels []error
}

func (e *Error) Error() string { return e.status.Message() }

// Unwrap returns the sentinels.
func (e *Error) Unwrap() []error { return slices.Clone(e.sentinels) }

// GRPCStatus returns the status of the call.
func (e *Error) GRPCStatus() *status.Status { return e.status }

// ToStatus returns err as gRPC sends it: with its sentinels as details of a status, whose
// code is that of the first one. An error without any is returned as it is, and gRPC sends
// its status if it has one.
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
	if s, ok := err.(*Sentinel); ok && s != nil { //nolint:errorlint // the tree is walked here
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

// FromStatus is the reverse of [ToStatus], for an error of a call. An error that an
// implementation returned without a status comes back as an [Error] too. Others, those of
// a lost connection and of an ended context among them, stay as the transport made them.
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

// ErrNotFaked is the error of a method of a generated fake whose function is not set.
// It is reported with the method's name.
var ErrNotFaked = errors.New("the fake has no function for this method")

// NotFaked returns an [ErrNotFaked] for a method.
func NotFaked(method string) error { return fmt.Errorf("%s: %w", method, ErrNotFaked) }

// Failed returns a sequence that has err only.
func Failed[T any](err error) func(yield func(*T, error) bool) {
	return func(yield func(*T, error) bool) { yield(nil, err) }
}
