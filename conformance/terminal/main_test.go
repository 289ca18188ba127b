//go:build linux || darwin

package terminal

import (
	"fmt"
	"os"
	"testing"

	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/examples/basic/greeter"
	"github.com/jackfield-go/jackfield/examples/hello"
)

// roleVariable makes the test binary another process.
const roleVariable = "JACKFIELD_TERMINAL_ROLE"

// TestMain runs the tests, or plays a role if a test started this process.
func TestMain(m *testing.M) {
	if os.Getenv("GORACE") == "" {
		_ = os.Setenv("GORACE", "atexit_sleep_ms=0")
	}
	role, known := roles[os.Getenv(roleVariable)]
	if !known {
		os.Exit(m.Run())
	}
	if err := role(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var roles = map[string]func() error{
	"shell":    shell,
	"host":     playHost,
	"plugin":   servePlugin,
	"password": askPassword,
	"blocked":  stayBlocked,
}

// servePlugin serves the transport of the host's cookie.
func servePlugin() error {
	if os.Getenv(hello.Handshake.MagicCookieKey) != "" {
		plugin.Serve(plugin.Config{
			Handshake: hello.Handshake, Versions: hello.Versions, Implements: hello.Plugin.Bind(overGRPC{}),
		})
		return nil
	}
	plugin.Serve(plugin.Config{
		Handshake: greeter.Handshake, Versions: greeter.Versions, Implements: greeter.Plugin.Bind(overNetRPC{}),
	})
	return nil
}
