package netrpc_test

import (
	"os"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/conformance/peers"
)

// patience limits operations that must not hang.
const patience = 20 * time.Second

// programs are the peers' paths, set by TestMain before any test.
var programs struct{ ourPlugin, theirPlugin, theirHost string }

// TestMain builds the peers once.
func TestMain(m *testing.M) {
	os.Exit(peers.Main(m,
		peers.Program{Path: &programs.ourPlugin, Source: "./ourplugin", Ours: true},
		peers.Program{Path: &programs.theirPlugin, Source: "../goplugin/plugin"},
		peers.Program{Path: &programs.theirHost, Source: "../goplugin/host"},
	))
}
