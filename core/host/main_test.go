package host_test

import (
	"context"
	"errors"
	"fmt"
	stdlog "log"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/core/runner"
)

// The test binary is its own plugin: with roleVariable set it behaves as the
// named part instead of running tests; argumentVariable tells it more.
const (
	roleVariable     = "HOST_TEST_ROLE"
	argumentVariable = "HOST_TEST_ARGUMENT"
)

// patience bounds what must not hang; hang outlives it, for helpers that a test
// ends.
const (
	patience = 20 * time.Second
	hang     = time.Minute
)

var cookie = core.Handshake{MagicCookieKey: "HOST_TEST_COOKIE", MagicCookieValue: "crumbs"}

// errors in package initialisation are the classic way not to start.
func init() {
	if os.Getenv(roleVariable) == "panic" {
		panic("no configuration in " + os.Getenv(argumentVariable))
	}
}

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	act, ok := roles[role]
	if !ok {
		fmt.Fprintf(os.Stderr, "no role %q\n", role)
		os.Exit(99)
	}
	os.Exit(act(os.Getenv(argumentVariable)))
}

// config describes the test binary in a role.
func config(t testing.TB, role, argument string) host.Config {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := host.Command(self)
	command.Env = []string{
		roleVariable + "=" + role,
		argumentVariable + "=" + argument,
		"GORACE=atexit_sleep_ms=0",
	}
	return host.Config{
		Handshake: cookie,
		Versions:  faketransport.Versions(new(faketransport.Transport), 1),
		Command:   command,
		Name:      "tester",
		Logger:    slog.New(slog.DiscardHandler),
	}
}

// setDefault makes logger slog's default for the duration of the test.
func setDefault(t *testing.T, logger *slog.Logger) {
	t.Helper()
	before := slog.Default()
	slog.SetDefault(logger)
	t.Cleanup(func() {
		slog.SetDefault(before)
		stdlog.SetOutput(os.Stderr) // SetDefault has changed package log too
		stdlog.SetFlags(stdlog.LstdFlags)
	})
}

// within returns a context that ends with the patience.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// launch launches, and closes the client with the test.
func launch(t testing.TB, cfg host.Config) *host.Client {
	t.Helper()
	client, err := host.Launch(within(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// call calls an object of a plugin's.
func call(t testing.TB, client *host.Client, object, argument string) string {
	t.Helper()
	answer, err := tryCall(within(t), client, object, argument)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func tryCall(ctx context.Context, client *host.Client, object, argument string) (string, error) {
	dispensed, err := host.Dispense(ctx, client, core.Define[*faketransport.Client](object))
	if err != nil {
		return "", err
	}
	return dispensed.Call(ctx, argument)
}

// fail launches a plugin in vain, and checks that every failure leaves nothing.
func fail(t *testing.T, ctx context.Context, cfg host.Config) *host.LaunchError {
	t.Helper()
	plugintest.NoLeaks(t)
	dirs := shortDir(t)
	if len(cfg.Sockets.Dirs) == 0 {
		cfg.Sockets.Dirs = []string{dirs}
	}
	client, err := host.Launch(ctx, cfg)
	if err == nil {
		_ = client.Close()
		t.Fatal("launched")
	}
	empty(t, dirs)
	failure, ok := err.(*host.LaunchError)
	if !ok {
		t.Fatalf("the error is a %T", err)
	}
	forUsers(t, failure)
	return failure
}

// shortDir is a directory for sockets: those of testing.T have names as long as
// the test's.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "h") //nolint:usetesting // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if dir, err = filepath.EvalSymlinks(dir); err != nil { // as it is announced
		t.Fatal(err)
	}
	return dir
}

// empty checks that nothing is left in a directory.
func empty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("%d files are left, such as %s", len(left), left[0].Name())
	}
}

// mention checks that an error's text has all the parts, or its hint for developers if they are
// settings or code. The text is for a user of the application, and has none.
func mention(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) && !strings.Contains(core.Hint(err), part) {
			t.Errorf("the error does not mention %q:\n%v\nnor does its hint:\n%s", part, err, core.Hint(err))
		}
	}
	forUsers(t, err)
}

// forUsers checks that an error's text names no setting, unless the configuration is the fault.
func forUsers(t *testing.T, err error) {
	t.Helper()
	var launch *host.LaunchError
	if errors.As(err, &launch) && launch.Stage == host.StageConfigure {
		return
	}
	for _, setting := range []string{"Config.", "Sockets.", "Timeouts.", "Outputs."} {
		own, _, _ := strings.Cut(err.Error(), "last lines on its stderr") // a plugin may log more
		if strings.Contains(own, setting) {
			t.Errorf("the error names a setting:\n%v", err)
		}
	}
}

func withRunner(cfg host.Config, makeRunner func(runner.Command) runner.Runner) host.Config {
	cfg.Runner = func(cmd runner.Command) (runner.Runner, error) { return makeRunner(cmd), nil }
	return cfg
}
