package matrix

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/conformance/goplugin/probeplugin"
	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	grpcplugin "github.com/jackfield-go/jackfield/conformance/goplugingrpc/probeplugin"
	ourgrpc "github.com/jackfield-go/jackfield/conformance/grpc/ourprobe"
	ournetrpc "github.com/jackfield-go/jackfield/conformance/netrpc/ourprobe"
	"github.com/jackfield-go/jackfield/conformance/peers"
	"github.com/jackfield-go/jackfield/core/plugin"
)

// These variables make the test binary a host or a plugin in a cell.
const (
	roleVariable = "JACKFIELD_MATRIX_ROLE"
	cellVariable = "JACKFIELD_MATRIX_CELL"

	hostRole   = "host"
	pluginRole = "plugin"
)

// These are the exit statuses of failed roles.
const (
	exitBadCell    = 90
	exitNoFarewell = 91
)

func oneVersion() shared.Versions { return shared.Versions{Numbers: []int{1}} }

// TestMain runs the tests, or plays a role if a test started this process.
func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	var c cell
	if err := json.Unmarshal([]byte(os.Getenv(cellVariable)), &c); err != nil {
		fmt.Fprintln(os.Stderr, "the cell:", err)
		os.Exit(exitBadCell)
	}
	if role == hostRole {
		_ = json.NewEncoder(os.Stdout).Encode(c.playHost()) // without it the test reports a missing outcome
		return
	}
	c.servePlugin()
	if err := peers.WriteFarewell(c.Farewell); err != nil {
		os.Exit(exitNoFarewell)
	}
}

// servePlugin is the main function of the plugins in Go.
func (c cell) servePlugin() {
	overNetRPC := c.Transport == netRPC
	switch {
	case c.Plugin == ours && overNetRPC:
		plugin.Serve(ournetrpc.PluginConfig(oneVersion()))
	case c.Plugin == ours:
		plugin.Serve(ourgrpc.PluginConfig(oneVersion()))
	case overNetRPC:
		goplugin.Serve(probeplugin.Serve(oneVersion()))
	default:
		goplugin.Serve(grpcplugin.Serve(oneVersion()))
	}
}

// raceOptions returns the race detector's options for a process on that library: races in
// go-plugin are not ours to fix.
func raceOptions(library string) string {
	options := "atexit_sleep_ms=0"
	if library == theirs {
		options += " exitcode=0"
	}
	return options
}
