package grpc_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/scenario"
	"github.com/jackfield-go/jackfield/conformance/peers"
)

// patience limits operations that must not hang.
const patience = 30 * time.Second

// programs are the peers' paths, set by TestMain before any test.
var programs struct{ ourPlugin, theirPlugin, theirHost string }

// TestMain builds the peers once.
func TestMain(m *testing.M) {
	os.Exit(peers.Main(m,
		peers.Program{Path: &programs.ourPlugin, Source: "./ourplugin", Ours: true},
		peers.Program{Path: &programs.theirPlugin, Source: "../goplugingrpc/plugin"},
		peers.Program{Path: &programs.theirHost, Source: "../goplugingrpc/host"},
	))
}

// setting describes the launch of a plugin.
type setting struct {
	multiplexed, secured bool
}

func settings() []setting {
	return []setting{{}, {multiplexed: true}, {secured: true}, {multiplexed: true, secured: true}}
}

// String returns the setting's name.
func (s setting) String() string {
	text := "plain"
	if s.multiplexed {
		text = "multiplexed"
	}
	if s.secured {
		text += ",AutoMTLS"
	}
	return text
}

// eachSetting runs a test in each setting.
func eachSetting(t *testing.T, test func(*testing.T, setting)) {
	t.Helper()
	for _, s := range settings() {
		t.Run(s.String(), func(t *testing.T) { test(t, s) })
	}
}

// names are the scenarios to run in a setting, on our plugin or another.
func (s setting) names(ours, fatal bool) []string {
	return slices.DeleteFunc(scenario.Names(s.secured, fatal), func(name string) bool {
		if ours && name == "big-answer" {
			return true // part of "big", and other plugins fail "big"
		}
		// Under the race detector, large messages over yamux take as long as all other
		// scenarios together.
		return peers.Race && s.multiplexed && strings.HasPrefix(name, "big")
	})
}
