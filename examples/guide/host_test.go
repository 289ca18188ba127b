package guide_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/runner"
	"github.com/jackfield-go/jackfield/examples/basic/greeter"
)

// advice is an application's message to its user about a failed launch.
func advice(err error) string {
	var (
		versions *core.VersionError
		protocol *core.ProtocolError
		line     *handshake.ParseError
		slow     *host.TimeoutError
		noisy    *host.NoiseError
		ended    *core.ExitError
	)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "install the plugin"
	case errors.As(err, &versions):
		return "install a release of the plugin that fits this program"
	case errors.As(err, &protocol):
		return "this program cannot speak " + string(protocol.Got)
	case errors.As(err, &slow):
		return "give it more time, or see what it waits for"
	case errors.As(err, &line), errors.As(err, &noisy):
		return "that program is not a plugin"
	case errors.As(err, &ended):
		return "it ended at once: " + ended.Status
	}
	return "see the error"
}

// report shows a failure to the user, and logs it with the hint for developers.
func report(out io.Writer, log *slog.Logger, err error) {
	fmt.Fprintln(out, "error:", err)
	log.Error("a plugin failed", "error", err, "hint", core.Hint(err))
}

func TestReportIsForTwoReaders(t *testing.T) {
	cfg := host.Config{
		Handshake: core.Handshake{MagicCookieKey: greeter.Handshake.MagicCookieKey, MagicCookieValue: "another"},
		Versions:  greeter.Versions,
		Command:   host.Command(pluginPath(t)),
	}
	_, err := host.Launch(t.Context(), cfg)
	var shown, logged bytes.Buffer
	report(&shown, slog.New(slog.NewTextHandler(&logged, nil)), err)
	if got := shown.String(); strings.Contains(got, "Config.") || !strings.Contains(got, "install the plugin of this one") {
		t.Errorf("shown: %s", got)
	}
	if got := logged.String(); !strings.Contains(got, "is Config.Handshake the plugin's?") {
		t.Errorf("logged: %s", got)
	}
}

func TestAdviceOnAMissingPlugin(t *testing.T) {
	_, err := host.Launch(t.Context(), host.Config{
		Handshake: greeter.Handshake,
		Versions:  greeter.Versions,
		Command:   host.Command(filepath.Join(t.TempDir(), "greeter-plugin")),
	})
	var failure *host.LaunchError
	if !errors.As(err, &failure) || failure.Stage != host.StageStart {
		t.Fatalf("got %v, want a host.LaunchError of the stage start", err)
	}
	if got := advice(err); got != "install the plugin" {
		t.Errorf("advice: %q, for %v", got, err)
	}
}

func TestAdviceOnAPluginOfAnotherApplication(t *testing.T) {
	cfg := host.Config{
		Handshake: core.Handshake{MagicCookieKey: greeter.Handshake.MagicCookieKey, MagicCookieValue: "another"},
		Versions:  greeter.Versions,
		Command:   host.Command(pluginPath(t)),
	}
	_, err := host.Launch(t.Context(), cfg)
	if got := advice(err); got != "it ended at once: exit status 1" {
		t.Errorf("advice: %q, for %v", got, err)
	}
}

// patient sets every timeout of a host.
func patient(cfg host.Config) host.Config {
	cfg.Timeouts.Start = 20 * time.Second           // from the call to the first answer
	cfg.Timeouts.Stop = 10 * time.Second            // from the request to SIGTERM
	cfg.Timeouts.Terminate = 2 * time.Second        // from SIGTERM to the kill
	cfg.Timeouts.Kill = 10 * time.Second            // from the kill to the exit
	cfg.Timeouts.ExitGrace = 250 * time.Millisecond // a failed call waits this long for the exit status
	return cfg
}

func TestStopWithAContext(t *testing.T) {
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	client := launch(t, patient(host.Config{}))

	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	err := client.Stop(ctx) // asks, and kills at the end of ctx
	var stop *host.StopError
	if errors.As(err, &stop) {
		log.Warn("it did not leave in order", "killed", !stop.Left, "reason", stop.Err)
	}

	if err != nil {
		t.Error(err)
	}
}

func TestCrashIsSeenAndExplained(t *testing.T) {
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	client := launch(t, host.Config{})
	g, err := host.Dispense(t.Context(), client, greeter.Plugin)
	if err != nil {
		t.Fatal(err)
	}

	_, err = g.Greet(t.Context(), "crash")
	var exit *core.ExitError
	switch {
	case errors.As(err, &exit):
		log.Error("the plugin has ended", "status", exit.Status, "last_lines", exit.Stderr)
	case errors.Is(err, core.ErrConnectionLost):
		log.Error("the connection broke, and the plugin still runs", "error", err)
	}

	<-client.Done() // the plugin has left nothing behind from here on
	if err := client.Err(); err != nil {
		log.Error("nobody asked for that end", "error", err)
	}

	if exit == nil || exit.Code != 3 || client.Err() == nil {
		t.Errorf("got %v from the call and %v from Err", err, client.Err())
	}
}

func TestLogsAndPrints(t *testing.T) {
	var printed, raw buffer
	cfg := host.Config{
		Name:   "greeter",                                      // in errors, and as the attribute "plugin"
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), // the plugin's log, and the library's
		Outputs: host.Outputs{
			PrintedStdout: &printed, // its os.Stdout
			PrintedStderr: &printed, // its os.Stderr
			RawLog:        &raw,     // an exact copy of the log
		},
	}

	client := launch(t, cfg)
	g, err := host.Dispense(t.Context(), client, greeter.Plugin)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Greet(t.Context(), "Ada"); err != nil {
		t.Fatal(err)
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(raw.String(), `"@message":"asked"`) {
		t.Errorf("raw log: %q", raw.String())
	}
}

func TestEnvironmentAndInput(t *testing.T) {
	var cfg host.Config

	cfg.Command.Inherit = host.InheritOnly("HOME", "PATH", "TMPDIR") // the zero value inherits everything
	cfg.Command.Env = []string{"GREETING_LANGUAGE=en"}               // overrides inherited variables
	cfg.Command.Stdin = strings.NewReader("settings of the plugin")  // nil: none; os.Stdin: the host's own

	if err := launch(t, cfg).Close(); err != nil {
		t.Fatal(err)
	}
}

// withNice runs the plugin at a lower priority.
func withNice(cmd runner.Command) (runner.Runner, error) {
	cmd.Args = append([]string{"-n", "10", cmd.Path}, cmd.Args...)
	cmd.Path = "nice"
	return runner.NewProcess(cmd), nil
}

func TestRunner(t *testing.T) {
	if _, err := exec.LookPath("nice"); err != nil {
		t.Skip("needs: nice on the PATH")
	}
	client := launch(t, host.Config{Runner: withNice})
	if err := client.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// forDebugging gives a person time to look at a plugin.
func forDebugging(cfg host.Config) host.Config {
	cfg.Timeouts.Start = -1 // only the context limits the launch
	cfg.Timeouts.Stop = time.Hour
	cfg.Outputs = host.Outputs{PrintedStdout: os.Stdout, PrintedStderr: os.Stderr, RawLog: os.Stderr}
	cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: core.LevelTrace}))
	return cfg
}

func TestForDebugging(t *testing.T) {
	cfg := forDebugging(host.Config{})
	cfg.Outputs = host.Outputs{RawLog: io.Discard}
	if err := launch(t, cfg).Close(); err != nil {
		t.Error(err)
	}
}
