package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// user is somebody at a terminal.
type user struct {
	dir     string // of the installed plugins
	sources string
}

func newUser(t *testing.T) user {
	t.Helper()
	return user{dir: filepath.Join(t.TempDir(), "plugins"), sources: t.TempDir()}
}

// source writes a file to install.
func (u user) source(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(u.sources, name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// types runs the command, and returns what it prints.
func (u user) types(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var stdout, stderr strings.Builder
	err := run(t.Context(), append([]string{"-dir", u.dir}, args...), &stdout, &stderr)
	return stdout.String(), err
}

func (u user) succeeds(t *testing.T, args ...string) string {
	t.Helper()
	out, err := u.types(t, args...)
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return out
}

func TestPluginsAreInstalledListedVerifiedAndRemoved(t *testing.T) {
	u := newUser(t)
	if out := u.succeeds(t, "list"); out != "no plugins\n" {
		t.Errorf("printed %q", out)
	}
	first := u.source(t, "greet-plugin-loud_v1.0.0", "one")
	second := u.source(t, "greet-plugin-loud_v1.1.0", "two")
	u.succeeds(t, "install", first, second, u.source(t, "greet-plugin-soft", "soft"))
	platform := discovery.ThisPlatform().String()
	want := strings.Join([]string{
		"NAME  VERSION  PLATFORM     STATE  SHA-256",
		"loud  1.1.0    " + platform + "  ok     " + sums.Of([]byte("two")).String()[:12],
		"loud  1.0.0    " + platform + "  ok     " + sums.Of([]byte("one")).String()[:12],
		"soft  -        " + platform + "  ok     " + sums.Of([]byte("soft")).String()[:12],
	}, "\n") + "\n"
	for _, command := range []string{"list", "verify"} {
		out := u.succeeds(t, command)
		if strings.Join(strings.Fields(out), " ") != strings.Join(strings.Fields(want), " ") {
			t.Errorf("%s printed\n%s\nwant\n%s", command, out, want)
		}
	}
	if out := u.succeeds(t, "remove", "loud", "< 1.1"); !strings.Contains(out, "1.0.0") || !strings.Contains(out, "removed") {
		t.Errorf("printed %s", out)
	}
	if out := u.succeeds(t, "list"); strings.Contains(out, "1.0.0") || !strings.Contains(out, "1.1.0") {
		t.Errorf("printed %s", out)
	}
	if _, err := u.types(t, "remove", "loud", "< 1.1"); !errors.Is(err, discovery.ErrNotInstalled) {
		t.Errorf("got %v", err)
	}
}

func TestVerifyFindsWhatWasChanged(t *testing.T) {
	u := newUser(t)
	u.succeeds(t, "install", u.source(t, "greet-plugin-loud_v1.0.0", "one"))
	files, err := filepath.Glob(filepath.Join(u.dir, "greet-plugin-*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if err := os.WriteFile(files[0], []byte("two"), 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := u.types(t, "verify")
	if err == nil || !strings.Contains(out, "changed") || !strings.Contains(out, sums.Of([]byte("one")).String()) ||
		!strings.Contains(out, sums.Of([]byte("two")).String()) {
		t.Errorf("printed %s, %v", out, err)
	}
	out, err = u.types(t, "-json", "verify")
	var list struct {
		Plugins []struct{ Name, Version, State, Error, SHA256 string }
	}
	if err == nil || json.Unmarshal([]byte(out), &list) != nil || len(list.Plugins) != 1 {
		t.Fatalf("printed %s, %v", out, err)
	}
	if p := list.Plugins[0]; p.Name != "loud" || p.Version != "1.0.0" || p.State != "changed" || p.Error == "" || p.SHA256 != sums.Of([]byte("two")).String() {
		t.Errorf("got %+v", p)
	}
	if out := u.succeeds(t, "-json", "remove", "loud"); !json.Valid([]byte(out)) {
		t.Errorf("printed %s", out)
	}
	if out := u.succeeds(t, "-json", "list"); strings.Join(strings.Fields(out), "") != `{"plugins":[]}` {
		t.Errorf("printed %s", out)
	}
}

func TestInstallComparesWithAListOfSums(t *testing.T) {
	u := newUser(t)
	good := u.source(t, "greet-plugin-loud_v1.0.0", "one")
	bad := u.source(t, "greet-plugin-soft_v1.0.0", "two")
	list := u.source(t, "SHA256SUMS", string(sums.List{
		{Name: filepath.Base(good), Sum: sums.Of([]byte("one"))}, {Name: filepath.Base(bad), Sum: sums.Of([]byte("other"))},
	}.Format()))
	u.succeeds(t, "install", "-sums", list, good)
	var mismatch *sums.MismatchError
	if _, err := u.types(t, "install", "-sums", list, bad); !errors.As(err, &mismatch) {
		t.Errorf("got %v", err)
	}
	if _, err := u.types(t, "install", "-sums", list, u.source(t, "greet-plugin-new", "x")); !errors.Is(err, sums.ErrNotListed) {
		t.Errorf("got %v", err)
	}
	var line *sums.LineError
	if _, err := u.types(t, "install", "-sums", bad, good); !errors.As(err, &line) {
		t.Errorf("got %v", err)
	}
	other := u.source(t, "greet-plugin-loud_v1.0.0", "changed")
	if _, err := u.types(t, "install", other); !errors.Is(err, discovery.ErrInstalled) {
		t.Errorf("got %v", err)
	}
	u.succeeds(t, "install", "-replace", other)
}

func TestMistakesOnTheCommandLine(t *testing.T) {
	u := newUser(t)
	for _, args := range [][]string{
		nil, {"dance"}, {"list", "x"}, {"verify", "x"}, {"install"}, {"install", "-x"}, {"remove"}, {"remove", "a", "b", "c"}, {"remove", "a", "new"}, {"-x"},
	} {
		var usage usageError
		if _, err := u.types(t, args...); !errors.As(err, &usage) {
			t.Errorf("%q: %v", args, err)
		}
	}
}
