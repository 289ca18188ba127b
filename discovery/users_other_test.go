//go:build !unix

package discovery_test

import "testing"

func asAnotherUser(*testing.T) {}
