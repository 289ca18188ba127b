//go:build unix

package faults

import (
	"fmt"
	"os"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/conformance/goplugin/probeplugin"
)

// role is the main function of a process started by a test; it returns the exit status.
type role func(w world, argument string) int

// roles returns the roles of the test binary.
func roles() map[string]role {
	return map[string]role{
		// These programs work with any host.
		"noise":  playNoise,
		"silent": playSilent,
		"leaver": playLeaver,
		"holder": playHolder,

		// These plugins and hosts are built on go-plugin.
		"goplugin/plugin":      playPlugin,
		"goplugin/grpc plugin": playGRPCPlugin,
		theirGRPCRole:          playGRPCProbe,
		"goplugin/bad log":     playBadLog,
		"goplugin/host of F1":  playHostF1,
		"goplugin/host of F2":  playHostF2,
		"goplugin/host of F11": playHostF11,
		"goplugin/host of F12": playHostF12,
		"goplugin/host of F21": playHostF21,

		"goplugin/plugin without TLS": withoutTLS(playPlugin),

		// These plugins are built on Jackfield. Its hosts run inside the tests, but for this one.
		"jackfield/host of F12":        playOurHostF12,
		"jackfield/plugin":             playJackfieldPlugin,
		"jackfield/bad log":            playJackfieldBadLog,
		"jackfield/plugin without TLS": withoutTLS(playJackfieldPlugin),
		ourGRPCRole:                    playJackfieldGRPCProbe,
	}
}

// playPlugin is a plugin without a fault, with the probe and the methods of [faulty].
func playPlugin(w world, _ string) int {
	config := probeplugin.Serve(oneVersion())
	config.VersionedPlugins[1] = goplugin.PluginSet{probeName: &faultyPlugin{world: w, stdout: os.Stdout, stderr: os.Stderr}}
	goplugin.Serve(config)
	return 0
}

// playNoise prints the argument on standard output, and then acts as a plugin.
func playNoise(w world, text string) int {
	fmt.Println(text)
	return playPlugin(w, "")
}

// playBadLog writes the argument to standard error, and then acts as a plugin.
func playBadLog(w world, line string) int {
	fmt.Fprintln(os.Stderr, line)
	return playPlugin(w, "")
}

// playSilent starts and prints nothing, forever.
func playSilent(world, string) int {
	select {} // the lifeline ends the process
}

// leaverReason and leaverStatus are the last words and the exit status of a leaver.
const (
	leaverReason = "cannot open the licence file"
	leaverStatus = 3
)

// playLeaver prints a reason and exits.
func playLeaver(world, string) int {
	fmt.Fprintln(os.Stderr, leaverReason)
	return leaverStatus
}

// playHolder lives until the pipe named by the argument is released, and keeps its original
// standard error open.
func playHolder(w world, name string) int {
	if err := w.wait(name); err != nil {
		return exitBadRole
	}
	return 0
}
