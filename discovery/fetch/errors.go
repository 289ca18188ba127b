package fetch

import (
	"errors"
	"fmt"

	"github.com/jackfield-go/jackfield/discovery/internal/text"
)

const shownURL = 1 << 10 // bytes of an address in an error

// These errors say why a file cannot be trusted.
var (
	// ErrInsecure: the address is plain http. Anybody on the way can change its
	// content.
	ErrInsecure = errors.New("it is a plain http address, and anybody on the way could exchange the file: use https")
	// ErrUnverified: there is neither a sum nor a signature to compare the file with.
	ErrUnverified = errors.New("no list of sums beside it names it: name the list, or give the sum")
	// ErrUnsigned: a signature is required, and there is none, neither of a list of
	// sums nor of the file.
	ErrUnsigned = errors.New("it is not signed, and this application takes only signed files")
	// ErrStalled: no byte came for Fetcher.StallTimeout.
	ErrStalled = errors.New("the server stalled: no byte came for too long")
)

// StatusError says that a server answered with another status than 200.
type StatusError struct {
	// URL is the requested address.
	URL string
	// Code is the status.
	Code int
	// Status is its text, as "404 Not Found".
	Status string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s: the server answered %q", text.Line(e.URL, shownURL), text.Clip(e.Status, shownURL))
}

// RedirectError says why a redirect was not followed.
type RedirectError struct {
	// From is the redirecting address, To its target.
	From, To string
	// Reason says why the redirect is refused.
	Reason string
}

func (e *RedirectError) Error() string {
	return fmt.Sprintf("the redirect from %s to %s is not followed: %s", text.Line(e.From, shownURL), text.Line(e.To, shownURL), e.Reason)
}

// TransferError says that a transfer broke off.
type TransferError struct {
	// URL is the file.
	URL string
	// Got is how many bytes came, Want how many the server announced; -1 if it did
	// not say.
	Got, Want int64
	// Err is the reason: wraps [ErrStalled], [io.ErrUnexpectedEOF] or the system's
	// error.
	Err error
}

func (e *TransferError) Error() string {
	if e.Got == 0 && e.Want < 0 {
		return fmt.Sprintf("%s: there is no answer: %v", e.URL, e.Err)
	}
	of := ""
	if e.Want >= 0 {
		of = fmt.Sprintf(" of %d", e.Want)
	}
	return fmt.Sprintf("the transfer of %s broke off after %d%s bytes: %v", e.URL, e.Got, of, e.Err)
}

// Unwrap returns the reason.
func (e *TransferError) Unwrap() error { return e.Err }

// SignatureError says that a signature does not hold.
type SignatureError struct {
	// Name is the name of the signed file.
	Name string
	// Err is the reason.
	Err error
}

func (e *SignatureError) Error() string { return fmt.Sprintf("the signature of %s: %v", e.Name, e.Err) }

// Unwrap returns the reason.
func (e *SignatureError) Unwrap() error { return e.Err }
