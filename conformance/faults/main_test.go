//go:build unix

package faults

import (
	"fmt"
	"os"
	"testing"
)

// TestMain runs the tests, or plays a role if a test started this process.
func TestMain(m *testing.M) {
	if name, cast := os.LookupEnv(roleVariable); cast {
		os.Exit(play(name))
	}
	os.Exit(m.Run())
}

// play joins the world of the test that started this process, and plays its role.
func play(name string) int {
	role, known := roles()[name]
	if !known {
		fmt.Fprintf(os.Stderr, "no role %q\n", name)
		return exitBadRole
	}
	w := world{dir: os.Getenv(worldVariable)}
	if err := w.join(); err != nil {
		fmt.Fprintln(os.Stderr, "join the test's world:", err)
		return exitBadRole
	}
	return role(w, os.Getenv(argumentVariable))
}
