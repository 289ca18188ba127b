package matrix

import (
	"os"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/conformance/languages"
)

// Hosts and plugins.
const (
	ours   = "jackfield"
	theirs = "go-plugin"
	python = "python"
	node   = "node"
)

// Transports.
const (
	netRPC      = "net/rpc"
	plain       = "gRPC"
	multiplexed = "multiplexed"
)

// cell is one combination. The processes of one get it in their environment.
type cell struct {
	Host, Plugin, Transport string
	Secured                 bool

	// Command runs the plugin, and Farewell is a file that plugins in Go write at
	// the end of their main.
	Command  []string
	Farewell string
}

// cells are all of them, by host, plugin, transport and TLS.
func cells() []cell {
	var all []cell
	for _, host := range []string{ours, theirs} {
		for _, plugin := range []string{ours, theirs, python, node} {
			for _, transport := range []string{netRPC, plain, multiplexed} {
				for _, secured := range []bool{false, true} {
					all = append(all, cell{Host: host, Plugin: plugin, Transport: transport, Secured: secured})
				}
			}
		}
	}
	return all
}

// row and column are where the matrix has it.
func (c cell) row() string { return c.Host + " host, " + c.Plugin + " plugin" }

func (c cell) column() string {
	if c.Secured {
		return c.Transport + ", AutoMTLS"
	}
	return c.Transport
}

// name is that of its test.
func (c cell) name() string {
	return strings.NewReplacer(", ", ",", netRPC, "netrpc").Replace(c.row() + "/" + c.column())
}

// inGo says that the plugin serves the probe of the suite, and not the store of
// the examples.
func (c cell) inGo() bool { return c.Plugin == ours || c.Plugin == theirs }

// command is what runs the plugin, or skips the test.
func (c cell) command(t *testing.T) []string {
	t.Helper()
	language := languages.Python()
	switch c.Plugin {
	case ours, theirs:
		return []string{os.Args[0]}
	case node:
		language = languages.Node()
	}
	if c.Plugin == python && c.Host == theirs && c.Transport == plain && c.Secured {
		languages.NeedsOpenSSL(t)
	}
	interpreter, script := language.Command(t)
	return []string{interpreter, script}
}

// refusal is why a combination cannot be, and what the hosts say at the launch.
type refusal struct {
	mark, reason string
	says         map[string]string
}

// refusals are all of them, by the transport; the plugins are those in other
// languages.
func refusals() map[string]refusal {
	return map[string]refusal{
		netRPC: {
			mark:   "(1)",
			reason: "net/rpc encodes with gob, which is Go's alone: plugins in other languages are gRPC plugins",
			says: map[string]string{
				ours:   `the plugin speaks protocol "grpc"`,
				theirs: `unsupported plugin protocol "grpc"`,
			},
		},
		multiplexed: {
			mark:   "(2)",
			reason: "the examples in other languages do not speak yamux, and say so by a line of six fields",
			says: map[string]string{
				ours:   "says nothing of multiplexing",
				theirs: "gRPC broker multiplexing but plugin does not support the feature",
			},
		},
	}
}

// refusal says whether the combination cannot be.
func (c cell) refusal() (refusal, bool) {
	if c.inGo() {
		return refusal{}, false
	}
	why, impossible := refusals()[c.Transport]
	return why, impossible
}

// A go-plugin host that asks a go-plugin plugin to leave over net/rpc may lose the
// answer to the end of the connection. Then it kills the plugin, which it takes
// for one that does not leave.
const (
	killedMark   = "(3)"
	killedReason = "killed by go-plugin, which lost its own plugin's answer to the request to leave: a race"
)

// mayBeKilled says that the end need not be orderly.
func (c cell) mayBeKilled() bool {
	return c.Host == theirs && c.Plugin == theirs && c.Transport == netRPC
}
