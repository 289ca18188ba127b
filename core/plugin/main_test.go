package plugin_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/plugin"
)

// patience limits each step, so that none hangs.
const patience = 20 * time.Second

var cookie = core.Handshake{MagicCookieKey: "PLUGIN_TEST_COOKIE", MagicCookieValue: "crumbs"}

func TestMain(m *testing.M) {
	if act, ok := roles[os.Getenv(roleVariable)]; ok {
		os.Exit(act())
	}
	os.Exit(m.Run())
}

// within returns a context that ends with the patience.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// config serves an echo.
func config(transport *faketransport.Transport, versions ...int) plugin.Config {
	if len(versions) == 0 {
		versions = []int{1}
	}
	return plugin.Config{Handshake: cookie, Versions: faketransport.Versions(transport, versions...)}
}

// surroundings are a plugin's Env under test.
type surroundings struct {
	env     plugin.Env
	signals chan os.Signal
	log     *lockedBuffer

	mu        sync.Mutex
	variables map[string]string
	lines     chan string // what was announced
}

type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

type lineWriter chan string

func (w lineWriter) Write(p []byte) (int, error) {
	w <- string(p)
	return len(p), nil
}

// surround makes an environment with the cookie and these variables.
func surround(variables map[string]string) *surroundings {
	s := &surroundings{
		signals:   make(chan os.Signal, 1),
		log:       new(lockedBuffer),
		variables: map[string]string{cookie.MagicCookieKey: cookie.MagicCookieValue},
		lines:     make(chan string, 1),
	}
	maps.Copy(s.variables, variables)
	stdout, endStdout := io.Pipe()
	stderr, endStderr := io.Pipe()
	s.env = plugin.Env{
		Lookup: func(key string) (string, bool) {
			s.mu.Lock()
			defer s.mu.Unlock()
			value, ok := s.variables[key]
			return value, ok
		},
		Unset: func(key string) {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.variables, key)
		},
		Announce:  lineWriter(s.lines),
		Log:       s.log,
		Stdout:    stdout,
		Stderr:    stderr,
		EndOutput: func() { _ = endStdout.Close(); _ = endStderr.Close() },
		Signals:   s.signals,
	}
	return s
}

// running is a plugin after its announcement.
type running struct {
	*surroundings

	line   string
	cancel context.CancelFunc
	ended  chan error
}

// run runs a plugin until it announces itself; the test's end ends it.
func run(t *testing.T, s *surroundings, cfg plugin.Config) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	r := &running{surroundings: s, cancel: cancel, ended: make(chan error, 1)}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		r.ended <- plugin.Run(ctx, s.env, cfg)
	}()
	t.Cleanup(func() {
		cancel()
		<-finished
	})
	select {
	case r.line = <-s.lines:
	case err := <-r.ended:
		t.Fatalf("it did not announce itself: %v", err)
	case <-within(t).Done():
		t.Fatal("it does not announce itself")
	}
	return r
}

// parsed is the line, taken apart.
func (r *running) parsed(t *testing.T) handshake.Line {
	t.Helper()
	line, err := handshake.Parse(r.line)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// dial connects to the plugin as a host does.
func (r *running) dial(t *testing.T) core.Session {
	t.Helper()
	return dial(t, r.parsed(t), io.Discard, io.Discard)
}

func dial(t *testing.T, line handshake.Line, stdout, stderr io.Writer) core.Session {
	t.Helper()
	session, err := new(faketransport.Transport).Dial(within(t), core.HostLink{
		Stdout: stdout,
		Stderr: stderr,
		Dial: func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, line.Network, line.Address)
		},
		Explain: func(_ context.Context, err error) error { return err },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}

// end waits for the result of Run.
func (r *running) end(t *testing.T) error {
	t.Helper()
	select {
	case err := <-r.ended:
		return err
	case <-within(t).Done():
		t.Fatal("it does not end")
		return nil
	}
}

// refuse runs an invalid plugin, and returns the reason.
func refuse(t *testing.T, s *surroundings, cfg plugin.Config) error {
	t.Helper()
	err := plugin.Run(within(t), s.env, cfg)
	if err == nil {
		t.Fatal("it ran")
	}
	select {
	case line := <-s.lines:
		t.Errorf("it announced %q", line)
	default:
	}
	return err
}

// mention checks that a plugin's last words about an error have all the parts: its text, or its hint
// for developers.
func mention(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) && !strings.Contains(core.Hint(err), part) {
			t.Errorf("the error does not mention %q:\n%v\nnor does its hint:\n%s", part, err, core.Hint(err))
		}
	}
}

// gone checks that a file is no more.
func gone(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", path, err)
	}
}
