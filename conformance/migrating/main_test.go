package migrating

import (
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/jackfield-go/jackfield/conformance/peers"
)

// programs are the paths of the application's programs, set by TestMain.
var programs struct{ oldHost, oldPlugin, newHost, newPlugin string }

// TestMain makes this program the reporter of its surroundings, or builds the application's
// programs once.
func TestMain(m *testing.M) {
	if what, ok := os.LookupEnv(reporter); ok {
		if what == reportsALogLine {
			fmt.Fprintln(os.Stderr, logLine)
			os.Exit(1)
		}
		input, err := io.ReadAll(os.Stdin)
		fmt.Fprintf(os.Stderr, "%s=%s stdin=%q %v\n", variable, os.Getenv(variable), input, err)
		os.Exit(1)
	}
	os.Exit(peers.Main(m,
		peers.Program{Path: &programs.oldHost, Source: "./before/host"},
		peers.Program{Path: &programs.oldPlugin, Source: "./before/plugin"},
		peers.Program{Path: &programs.newHost, Source: "./after/host", Ours: true},
		peers.Program{Path: &programs.newPlugin, Source: "./after/plugin", Ours: true},
	))
}
