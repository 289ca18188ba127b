package rpc

import (
	"errors"
	"fmt"
)

// ErrHijacked is returned by a Client after Hijack.
var ErrHijacked = errors.New("the connection was taken over with Hijack")

// ErrInUse is returned by Hijack after the first call.
var ErrInUse = errors.New("calls have been made over this connection")

// RemoteError is an error returned by the other side's method. Errors cross the wire
// as text, without their types and wrapped errors.
type RemoteError string

func (e RemoteError) Error() string { return string(e) }

// BasicError carries an error inside a gob message, as a field or as the reply
// itself. It is the same on the wire as hashicorp/go-plugin's type of that name.
type BasicError struct {
	Message string
}

// NewBasicError returns err in a form for gob; nil for nil.
func NewBasicError(err error) *BasicError {
	if err == nil {
		return nil
	}
	return &BasicError{Message: err.Error()}
}

func (e *BasicError) Error() string { return e.Message }

// MessageSizeError is the error of a message, or of type definitions, above this side's
// limit. The rest is not read, and the connection ends: on a Client, all calls in
// flight and later return it together with [core.ErrConnectionLost].
type MessageSizeError struct {
	// Size is the announced size, in bytes: a message with the type definitions in
	// front of it, or all definitions of the connection.
	Size uint64
	// Limit is the limit in bytes.
	Limit uint64
	// Part names a part with a fixed limit of its own: the header of a request, or the
	// type definitions of a connection. It is empty for a message.
	Part string
}

func (e *MessageSizeError) Error() string {
	part := "a message"
	if e.Part != "" {
		part = e.Part
	}
	return fmt.Sprintf("the other side announced %s of %d bytes, and this side takes at most %d", part, e.Size, e.Limit)
}

// DeveloperHint names the option, for core.Hint.
func (e *MessageSizeError) DeveloperHint() string {
	if e.Part != "" {
		return ""
	}
	return "WithMaxMessageSize allows for larger messages; data of any length is better lent as a reader"
}
