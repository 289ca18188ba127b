package plugin

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackfield-go/jackfield/core/handshake"
)

// ServeDebug serves in test mode (protocol §9): without a host that launches it, for a program under
// a debugger or for a plugin inside a test. ready gets the data for a host to attach with, as by
// host.Attach or in the variable TF_REATTACH_PROVIDERS; handshake.ExportReattach writes a line to
// paste. Hosts are served once ready has returned. Any number of them may attach.
//
// The plugin needs no cookie. It serves the highest of its versions, listens in a private directory,
// and waits for hosts without a limit: Config.ConnectionTimeout is ignored. The program's prints and
// signals stay its own. A nil Config.Logger means [slog.Default].
//
// No host's close or kill ends the plugin: ServeDebug returns when ctx ends, in order and with nil.
// It also returns if a host asks the plugin to leave in spite of the test mode.
func ServeDebug(ctx context.Context, cfg Config, ready func(handshake.Reattach)) error {
	if ready == nil {
		return errors.New("plugin.ServeDebug: nobody is told where to attach: its function ready is nil")
	}
	if err := cfg.validate(); err != nil {
		return err
	}
	cfg.ConnectionTimeout = unlimited
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	variables := debugVariables(cfg)
	stdout, endStdout := io.Pipe()
	stderr, endStderr := io.Pipe()
	return Run(ctx, Env{
		Lookup: func(key string) (string, bool) {
			value, ok := variables[key]
			return value, ok
		},
		Unset:    func(string) {},
		Announce: announcement(ready),
		Log:      io.Discard, // Config.Logger is set
		Stdout:   stdout,
		Stderr:   stderr,
		EndOutput: func() {
			_ = endStdout.Close()
			_ = endStderr.Close()
		},
	}, cfg)
}

// unlimited is a time for a person at a debugger.
const unlimited = 365 * 24 * time.Hour

// debugVariables are those of a host that knows the plugin's highest version alone.
func debugVariables(cfg Config) map[string]string {
	asked := handshake.Environment{
		Fields:    handshake.AboutFields(),
		FieldsFor: cfg.Handshake.MagicCookieKey,
	}
	if numbers := served(cfg.Versions, cfg.Implements).Numbers(); len(numbers) > 0 {
		asked.Versions = []int{slices.Max(numbers)}
	}
	variables := map[string]string{cfg.Handshake.MagicCookieKey: cfg.Handshake.MagicCookieValue}
	for _, variable := range asked.Variables() {
		name, value, _ := strings.Cut(variable, "=")
		variables[name] = value
	}
	delete(variables, handshake.EnvMinPort) // any free port will do
	delete(variables, handshake.EnvMaxPort)
	return variables
}

// announcement takes the handshake line, in the one write that it is announced with.
type announcement func(handshake.Reattach)

func (a announcement) Write(text []byte) (int, error) {
	line, err := handshake.Parse(string(text))
	if err != nil {
		return 0, err
	}
	a(handshake.Reattach{Line: line, ID: strconv.Itoa(os.Getpid()), Test: true})
	return len(text), nil
}
