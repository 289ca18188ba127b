// This program is a plugin that tells what it can reach from where it runs.
package main

import (
	"context"
	"net"
	"os"
	"os/exec"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/plugin"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// Probe has the methods of the plugin, in the form of net/rpc.
type Probe struct{}

// Interfaces counts the network interfaces that are up and lead elsewhere.
func (Probe) Interfaces(_ context.Context, _ struct{}, n *int) error {
	all, err := net.Interfaces()
	for _, i := range all {
		if i.Flags&net.FlagUp != 0 && i.Flags&net.FlagLoopback == 0 {
			*n++
		}
	}
	return err
}

// Write writes a file, and returns the error's text.
func (Probe) Write(_ context.Context, path string, text *string) error {
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		*text = err.Error()
	}
	return nil
}

// Exists tells whether there is a file.
func (Probe) Exists(_ context.Context, path string, yes *bool) error {
	_, err := os.Stat(path)
	*yes = err == nil
	return nil
}

// Spawn starts this program again, to sleep for ever.
func (Probe) Spawn(_ context.Context, _ struct{}, _ *struct{}) error {
	return exec.Command("/proc/self/exe", "sleep").Start()
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "sleep" {
		select {}
	}
	name := core.DefineSides[Probe, *netrpc.Client]("probe")
	plugin.Serve(plugin.Config{
		Handshake:  core.Handshake{MagicCookieKey: "JACKFIELD_RUNNERS_PROBE", MagicCookieValue: "f00d"},
		Versions:   core.Versions{1: {netrpc.New(netrpc.Carry(name, serve, nil))}},
		Implements: name.Bind(Probe{}),
	})
}

func serve(_ *netrpc.Broker, p Probe) (any, error) { return p, nil }
