//go:build unix

package faults

import (
	"fmt"
	"os"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/conformance/goplugin/probeplugin"
)

// role is the main of a process that a test starts; it returns the exit status.
type role func(w world, argument string) int

// roles returns what the test binary can be, beside itself.
func roles() map[string]role {
	return map[string]role{
		// Programs that any host can be given.
		"noise":  playNoise,
		"silent": playSilent,
		"leaver": playLeaver,
		"holder": playHolder,

		// Plugins and hosts built on go-plugin.
		"goplugin/plugin":      playPlugin,
		"goplugin/grpc plugin": playGRPCPlugin,
		theirGRPCRole:          playGRPCProbe,
		"goplugin/bad log":     playBadLog,
		"goplugin/host of F1":  playHostF1,
		"goplugin/host of F2":  playHostF2,
		"goplugin/host of F11": playHostF11,
		"goplugin/host of F21": playHostF21,

		"goplugin/plugin without TLS": withoutTLS(playPlugin),

		// Plugins built on Jackfield. Its hosts run inside the tests.
		"jackfield/plugin":             playJackfieldPlugin,
		"jackfield/bad log":            playJackfieldBadLog,
		"jackfield/plugin without TLS": withoutTLS(playJackfieldPlugin),
		ourGRPCRole:                    playJackfieldGRPCProbe,
	}
}

// playPlugin is a plugin without a fault of its own, with the probe and what
// [faulty] adds.
func playPlugin(w world, _ string) int {
	config := probeplugin.Serve(oneVersion())
	config.VersionedPlugins[1] = goplugin.PluginSet{probeName: &faultyPlugin{world: w, stdout: os.Stdout, stderr: os.Stderr}}
	goplugin.Serve(config)
	return 0
}

// playNoise prints the argument on standard output and is a plugin then.
func playNoise(w world, text string) int {
	fmt.Println(text)
	return playPlugin(w, "")
}

// playBadLog writes the argument on standard error and is a plugin then.
func playBadLog(w world, line string) int {
	fmt.Fprintln(os.Stderr, line)
	return playPlugin(w, "")
}

// playSilent starts and says nothing, for ever.
func playSilent(world, string) int {
	select {} // the lifeline ends the process
}

// leaverReason and leaverStatus are how a leaver leaves.
const (
	leaverReason = "cannot open the licence file"
	leaverStatus = 3
)

// playLeaver gives a reason and leaves.
func playLeaver(world, string) int {
	fmt.Fprintln(os.Stderr, leaverReason)
	return leaverStatus
}

// playHolder lives until the pipe named by the argument is released, holding on
// to the standard error it was born with.
func playHolder(w world, name string) int {
	if err := w.wait(name); err != nil {
		return exitBadRole
	}
	return 0
}
