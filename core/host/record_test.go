package host_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/verify"
)

func TestLaunchLeavesOneRecord(t *testing.T) {
	for name, test := range map[string]struct {
		mtls     host.MTLS
		verified bool
		tls      string
		took     string
	}{
		"plain":                   {host.MTLSOff, false, "none", `^\[configure=\S+ start=\S+ handshake=\S+ negotiate=\S+ connect=\S+\]$`},
		"mutual TLS and verified": {host.MTLSRequired, true, "mutual", `^\[configure=\S+ verify=\S+ start=\S+ handshake=\S+ negotiate=\S+ connect=\S+\]$`},
	} {
		t.Run(name, func(t *testing.T) {
			logged := newRecords()
			cfg := config(t, "serve", "")
			cfg.Logger, cfg.AutoMTLS = logged.logger(), test.mtls
			if test.verified {
				cfg.Verify.Verifier = verify.Func(func(context.Context, *verify.Program) error { return nil })
			}
			client := launch(t, cfg)
			got := logged.await(t, "the plugin was launched")
			for key, want := range map[string]string{
				"plugin": "tester", "plugin_path": cfg.Command.Path, "process": client.ID(),
				"app_version": "1", "protocol": string(faketransport.Protocol), "tls": test.tls,
			} {
				if got.attrs[key] != want {
					t.Errorf("%s is %q, want %q", key, got.attrs[key], want)
				}
			}
			if got.level != slog.LevelDebug || got.attrs["network"] == "" || got.attrs["address"] == "" {
				t.Errorf("got %+v", got)
			}
			if !regexp.MustCompile(test.took).MatchString(got.attrs["took"]) {
				t.Errorf("the stages took %s", got.attrs["took"])
			}
			if err := client.Close(); err != nil {
				t.Error(err)
			}
			for _, message := range []string{"the plugin was launched", "the plugin has ended"} {
				if n := logged.count(message); n != 1 {
					t.Errorf("%d records %q", n, message)
				}
			}
		})
	}
}

func TestFailedLaunchLeavesItsErrorAndHint(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*host.Config)
		hint   string
		took   string // to the failed stage
	}{
		"before the start": {func(c *host.Config) { c.Command.Path = "/no/such/tester" }, "", `^\[configure=\S+ start=\S+\]$`},
		"after it": {func(c *host.Config) { c.Handshake.MagicCookieValue = "other" }, "is Config.Handshake the plugin's?",
			`^\[configure=\S+ start=\S+ handshake=\S+\]$`},
	} {
		t.Run(name, func(t *testing.T) {
			logged := newRecords()
			cfg := config(t, "serve", "")
			test.change(&cfg)
			cfg.Name, cfg.Logger = "", logged.logger()
			failure := fail(t, within(t), cfg)
			got := logged.await(t, "the launch failed")
			if got.level != slog.LevelDebug || got.attrs["error"] != failure.Error() || got.attrs["hint"] != test.hint ||
				got.attrs["plugin"] != filepath.Base(cfg.Command.Path) || got.attrs["plugin_path"] != cfg.Command.Path ||
				!regexp.MustCompile(test.took).MatchString(got.attrs["took"]) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestEndLeavesOneRecord(t *testing.T) {
	for name, test := range map[string]struct {
		role   string
		end    func(*testing.T, *host.Client)
		level  slog.Level
		cause  string
		status string
	}{
		"closed": {"serve", func(t *testing.T, c *host.Client) {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}, slog.LevelDebug, "asked to leave", "exit status 0"},
		"killed": {"serve", func(t *testing.T, c *host.Client) {
			if err := c.Kill(within(t)); err != nil {
				t.Error(err)
			}
		}, slog.LevelDebug, "killed", ""},
		"killed after it stayed": {"stubborn", func(_ *testing.T, c *host.Client) { _ = c.Close() }, slog.LevelDebug, "killed", ""},
		"crashed": {"serve", func(t *testing.T, c *host.Client) {
			_, _ = tryCall(within(t), c, "exit", "3")
		}, slog.LevelError, "by itself", "exit status 3"},
	} {
		t.Run(name, func(t *testing.T) {
			logged := newRecords()
			cfg := config(t, test.role, "")
			cfg.Logger, cfg.Timeouts.Stop = logged.logger(), patience
			if test.role == "stubborn" {
				cfg.Timeouts.Stop = 10 * time.Millisecond
			}
			client := launch(t, cfg)
			test.end(t, client)
			<-client.Done()
			message := "the plugin has ended"
			if test.level > slog.LevelDebug {
				message += " unexpectedly"
			}
			got := logged.await(t, message)
			if got.level != test.level || got.attrs["cause"] != test.cause || got.attrs["process"] != client.ID() ||
				got.attrs["plugin_path"] != cfg.Command.Path || !strings.HasPrefix(got.attrs["status"], test.status) {
				t.Errorf("got %+v", got)
			}
			if lived, err := time.ParseDuration(got.attrs["lived"]); err != nil || lived < 0 {
				t.Errorf("it lived %q", got.attrs["lived"])
			}
			if n := logged.count(message); n != 1 {
				t.Errorf("%d records of the end", n)
			}
		})
	}
}

func TestRecordsTellPluginsOfOneNameApart(t *testing.T) {
	dirs := []string{t.TempDir(), t.TempDir(), t.TempDir()}
	logged := newRecords()
	for i, dir := range dirs {
		cfg := config(t, "serve", "")
		program := filepath.Base(cfg.Command.Path)
		copyProgram(t, cfg.Command.Path, filepath.Join(dir, program))
		cfg.Name, cfg.Logger = "", logged.logger()
		switch i {
		case 0:
			cfg.Command.Path = filepath.Join(dir, program)
		case 1:
			cfg.Command.Path, cfg.Command.Dir = "."+string(filepath.Separator)+program, dir
		case 2: // the name alone is searched in PATH
			cfg.Command.Path = program
			t.Setenv("PATH", dir)
		}
		client := launch(t, cfg)
		call(t, client, "log", "[WARN] low on tea "+strconv.Itoa(i)+"\n")
		logged.await(t, "low on tea "+strconv.Itoa(i))
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
	seen := make(map[string]int)
	for _, one := range logged.all() {
		seen[filepath.Dir(one.attrs["plugin_path"])]++
	}
	for _, dir := range dirs {
		if seen[dir] < 3 { // launch, line, end
			t.Errorf("%d records have a path in %s", seen[dir], dir)
		}
		delete(seen, dir)
	}
	if len(seen) > 0 {
		t.Errorf("records have other paths too: %v", seen)
	}
}

// count returns the number of records with a message.
func (r records) count(message string) (n int) {
	for _, one := range r.all() {
		if one.message == message {
			n++
		}
	}
	return n
}

func copyProgram(t *testing.T, from, to string) {
	t.Helper()
	source, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(target, source); err != nil {
		t.Error(err)
	}
	if err := target.Close(); err != nil {
		t.Fatal(err)
	}
}
