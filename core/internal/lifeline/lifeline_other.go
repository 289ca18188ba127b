//go:build !unix && !windows

package lifeline

import "errors"

// Line does not exist here.
type Line struct{}

// Take refuses.
func Take(string, string) (*Line, error) { return nil, errors.ErrUnsupported }

// Wait refuses.
func (*Line) Wait() error { return ErrClosed }

// Close does nothing.
func (*Line) Close() bool { return true }
