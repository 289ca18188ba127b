//go:build !unix

package testkit

import "testing"

// AsAnotherUser does nothing.
func AsAnotherUser(*testing.T) {}
