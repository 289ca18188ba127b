package migrating

import (
	"os"
	"testing"

	"github.com/jackfield-go/jackfield/conformance/peers"
)

// programs are the paths of the application's programs, set by TestMain.
var programs struct{ oldHost, oldPlugin, newHost, newPlugin string }

// TestMain builds the application's programs, once.
func TestMain(m *testing.M) {
	os.Exit(peers.Main(m,
		peers.Program{Path: &programs.oldHost, Source: "./before/host"},
		peers.Program{Path: &programs.oldPlugin, Source: "./before/plugin"},
		peers.Program{Path: &programs.newHost, Source: "./after/host", Ours: true},
		peers.Program{Path: &programs.newPlugin, Source: "./after/plugin", Ours: true},
	))
}
