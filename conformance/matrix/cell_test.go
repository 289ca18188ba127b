package matrix

import (
	"os"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/conformance/languages"
)

// These are the names of hosts and plugins.
const (
	ours   = "jackfield"
	theirs = "go-plugin"
	python = "python"
	node   = "node"
)

// These are the names of transports.
const (
	netRPC      = "net/rpc"
	plain       = "gRPC"
	multiplexed = "multiplexed"
)

// cell is one combination. Its processes receive it in their environment.
type cell struct {
	Host, Plugin, Transport string
	Secured                 bool

	// Command runs the plugin. Farewell is a file written by plugins in Go at the end of
	// their main.
	Command  []string
	Farewell string
}

// cells returns all cells, by host, plugin, transport and TLS.
func cells() []cell {
	var all []cell
	for _, host := range []string{ours, theirs, python, node} {
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

// row and column return the cell's place in the matrix.
func (c cell) row() string { return c.Host + " host, " + c.Plugin + " plugin" }

func (c cell) column() string {
	if c.Secured {
		return c.Transport + ", AutoMTLS"
	}
	return c.Transport
}

// name returns the name of the cell's test.
func (c cell) name() string {
	return strings.NewReplacer(", ", ",", netRPC, "netrpc").Replace(c.row() + "/" + c.column())
}

// isGo reports whether a program is in Go. Programs in other languages use the helper files
// of the examples.
func isGo(program string) bool { return program == ours || program == theirs }

// language returns a program's language, other than Go.
func language(program string) languages.Language {
	if program == node {
		return languages.Node()
	}
	return languages.Python()
}

// pluginCommand returns the plugin's command, or skips the test.
func (c cell) pluginCommand(t *testing.T) []string {
	t.Helper()
	if isGo(c.Plugin) {
		return []string{os.Args[0]}
	}
	return language(c.Plugin).Probe(t, languages.PluginRole)
}

// hostCommand returns the host's command, or skips the test.
func (c cell) hostCommand(t *testing.T) []string {
	t.Helper()
	if c.Secured && c.Transport == plain && (c.Host == theirs && c.Plugin == python || c.Host == python && c.Plugin == theirs) {
		languages.NeedsOpenSSL(t)
	}
	if isGo(c.Host) {
		return []string{os.Args[0]}
	}
	return language(c.Host).Probe(t, languages.HostRole)
}

// refusal is the reason against a combination, and the hosts' errors at the launch. A host
// without one cannot even ask.
type refusal struct {
	mark, reason string
	says         map[string]string
}

// refusals returns all refusals by transport; they apply to programs in other languages.
func refusals() map[string]refusal {
	return map[string]refusal{
		netRPC: {
			mark:   "(1)",
			reason: "net/rpc encodes with gob, and only Go has gob: programs in other languages speak gRPC",
			says: map[string]string{
				ours:   `the plugin speaks protocol "grpc"`,
				theirs: `unsupported plugin protocol "grpc"`,
				python: "it speaks netrpc, and this host grpc",
				node:   "it speaks netrpc, and this host grpc",
			},
		},
		multiplexed: {
			mark:   "(2)",
			reason: "the examples in other languages do not speak yamux: their handshake line has only six fields, and their hosts do not ask",
			says: map[string]string{
				ours:   "says nothing of multiplexing",
				theirs: "gRPC broker multiplexing but plugin does not support the feature",
			},
		},
	}
}

// refusal returns the cell's refusal, if any.
func (c cell) refusal() (refusal, bool) {
	if isGo(c.Host) && isGo(c.Plugin) {
		return refusal{}, false
	}
	why, impossible := refusals()[c.Transport]
	return why, impossible
}

// cannotAsk reports whether the host has no way to ask for the transport: in other languages
// it has gRPC only, and so have the plugins.
func (c cell) cannotAsk() bool {
	return !isGo(c.Host) && (c.Transport == multiplexed || c.Transport == netRPC && !isGo(c.Plugin))
}

// Over net/rpc, a go-plugin host that asks a go-plugin plugin to leave may lose the answer
// when the connection ends. Then it treats the plugin as unresponsive and kills it.
const (
	killedMark   = "(3)"
	killedReason = "killed by go-plugin after losing its own plugin's answer to the request to leave: a race"
)

// mayBeKilled reports whether the end may be a kill.
func (c cell) mayBeKilled() bool {
	return c.Host == theirs && c.Plugin == theirs && c.Transport == netRPC
}
