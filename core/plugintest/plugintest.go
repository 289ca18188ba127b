// Package plugintest runs a real host and a real plugin in one test process,
// over a real socket, with no program to build and nothing to start.
//
//	func TestGreeter(t *testing.T) {
//		client := plugintest.Launch(t,
//			host.Config{Handshake: greeter.Handshake, Versions: greeter.Versions},
//			plugin.Config{Handshake: greeter.Handshake, Versions: greeter.Versions, Implements: greeter.Plugin.Bind(english{})},
//		)
//		g, err := host.Dispense(t.Context(), client, greeter.Plugin)
//		…
//	}
//
// [NoLeaks] checks that a test leaves no goroutine, file or process behind.
package plugintest

import (
	"context"
	"testing"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/runner"
)

// Launch launches a plugin in this process and returns its client. The end of the test closes the
// client. Neither configuration is changed; Launch ignores the parts of h for a process (Runner,
// and Command except its environment). A failed launch ends the test.
func Launch(tb testing.TB, h host.Config, p plugin.Config) *host.Client {
	tb.Helper()
	client, _ := LaunchPlugin(tb, h, p)
	return client
}

// LaunchPlugin is Launch for tests that also control the plugin's process.
func LaunchPlugin(tb testing.TB, h host.Config, p plugin.Config) (*host.Client, *Plugin) {
	tb.Helper()
	var started *Plugin
	h.Runner = func(cmd runner.Command) (runner.Runner, error) {
		started = NewPlugin(cmd, p)
		return started, nil
	}
	client, err := host.Launch(tb.Context(), h)
	if err != nil {
		tb.Fatalf("launch a plugin in this process: %v", err)
	}
	tb.Cleanup(func() {
		if err := client.Stop(context.WithoutCancel(tb.Context())); err != nil {
			tb.Errorf("stop the plugin: %v", err)
		}
		if err := started.Err(); err != nil {
			tb.Errorf("the plugin ended with an error: %v", err)
		}
	})
	return client, started
}
