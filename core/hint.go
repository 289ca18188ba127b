package core

import (
	"slices"
	"strings"
)

// Hint returns what the developer of the application or of the plugin can do about err: the hints
// of all errors in its tree, one a line. It is "" without any, and for nil.
//
// The text of an error is for two readers, a user of the application among them. So it names no
// settings or functions: those are in the hint. An application shows the text, and logs both.
//
// An error with a method DeveloperHint() string has a hint. The types of this project have it where
// there is anything to say; [WithHint] adds a hint to any error.
func Hint(err error) string {
	var hints []string
	var walk func(error)
	walk = func(err error) {
		if err == nil {
			return
		}
		if hinting, ok := err.(interface{ DeveloperHint() string }); ok {
			if hint := hinting.DeveloperHint(); hint != "" && !slices.Contains(hints, hint) {
				hints = append(hints, hint)
			}
		}
		switch wrapping := err.(type) { //nolint:errorlint // each error of the tree is looked at
		case interface{ Unwrap() error }:
			walk(wrapping.Unwrap())
		case interface{ Unwrap() []error }:
			for _, wrapped := range wrapping.Unwrap() {
				walk(wrapped)
			}
		}
	}
	walk(err)
	return strings.Join(hints, "\n")
}

// WithHint returns err with a hint for [Hint]. Its text is that of err, which it wraps. It returns
// nil for nil.
func WithHint(err error, hint string) error {
	if err == nil {
		return nil
	}
	return &hinted{err, hint}
}

type hinted struct {
	err  error
	hint string
}

func (e *hinted) Error() string         { return e.err.Error() }
func (e *hinted) Unwrap() error         { return e.err }
func (e *hinted) DeveloperHint() string { return e.hint }
