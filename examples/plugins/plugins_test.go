package main

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/store"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// user is a person at a terminal.
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

// types runs the command and returns its output.
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
	u.succeeds(t, "install", "-undescribed", first, second, u.source(t, "greet-plugin-soft", "soft"))
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
	if _, err := u.types(t, "remove", "loud", "< 1.1"); !errors.Is(err, store.ErrNotInstalled) {
		t.Errorf("got %v", err)
	}
}

func TestVerifyFindsChangedPlugins(t *testing.T) {
	u := newUser(t)
	u.succeeds(t, "install", "-undescribed", u.source(t, "greet-plugin-loud_v1.0.0", "one"))
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
	u.succeeds(t, "install", "-undescribed", "-sums", list, good)
	var mismatch *sums.MismatchError
	if _, err := u.types(t, "install", "-undescribed", "-sums", list, bad); !errors.As(err, &mismatch) {
		t.Errorf("got %v", err)
	}
	if _, err := u.types(t, "install", "-undescribed", "-sums", list, u.source(t, "greet-plugin-new", "x")); !errors.Is(err, sums.ErrNotListed) {
		t.Errorf("got %v", err)
	}
	if _, err := u.types(t, "install", "-undescribed", "-sums", bad, good); !errors.Is(err, sums.ErrNotListed) {
		t.Errorf("got %v", err)
	}
	other := u.source(t, "greet-plugin-loud_v1.0.0", "changed")
	if _, err := u.types(t, "install", "-undescribed", other); !errors.Is(err, store.ErrInstalled) {
		t.Errorf("got %v", err)
	}
	u.succeeds(t, "install", "-undescribed", "-replace", other)
}

func TestCommandLineErrors(t *testing.T) {
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

func TestFlagsMayFollowTheCommand(t *testing.T) {
	u := newUser(t)
	source := u.source(t, "greet-plugin-loud_v1.0.0", "one")
	for _, args := range [][]string{
		{"-json", "list"}, {"list", "--json"}, {"install", "-undescribed", "-json", source}, {"-json", "verify"}, {"verify", "-json"}, {"remove", "-json", "loud"},
	} {
		if out := u.succeeds(t, args...); !json.Valid([]byte(out)) {
			t.Errorf("%q printed %s", args, out)
		}
	}
	elsewhere := filepath.Join(t.TempDir(), "plugins")
	u.succeeds(t, "install", "-undescribed", "-dir", elsewhere, source)
	if _, err := os.Stat(elsewhere); err != nil {
		t.Error(err)
	}
}

func TestHelpNamesTheCommands(t *testing.T) {
	for _, args := range [][]string{{"-h"}, {"list", "-help"}, {"install", "-h"}} {
		var stdout, stderr strings.Builder
		err := run(t.Context(), args, &stdout, &stderr)
		if !errors.Is(err, flag.ErrHelp) {
			t.Errorf("%q: %v", args, err)
		}
		for _, part := range []string{"list", "install", "remove", "verify", "-dir", "-json", "-sums", "-replace"} {
			if !strings.Contains(stderr.String(), part) {
				t.Errorf("%q: %s is not in %s", args, part, &stderr)
			}
		}
	}
}

// A list reports that it is empty; a failure does not.
func TestFailureDoesNotReportAnEmptyList(t *testing.T) {
	u := newUser(t)
	for _, args := range [][]string{{"install", filepath.Join(u.sources, "greet-plugin-loud")}, {"remove", "loud"}} {
		if out, err := u.types(t, args...); err == nil || out != "" {
			t.Errorf("%q printed %q, %v", args, out, err)
		}
	}
}

// A broken lock file still leaves the other facts to report.
func TestListWorksDespiteABrokenLockFile(t *testing.T) {
	u := newUser(t)
	u.succeeds(t, "install", "-undescribed", u.source(t, "greet-plugin-loud_v1.0.0", "one"))
	text := `{"version": 1, "plugins": [{"name": "soft"}]}`
	if err := os.WriteFile(filepath.Join(u.dir, store.LockFile), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"list", "verify"} {
		out, err := u.types(t, command)
		if err == nil || !strings.Contains(err.Error(), store.LockFile+":1: ") || !strings.Contains(out, "unlocked") {
			t.Errorf("%s printed %s, %v", command, out, err)
		}
	}
}

// A table and JSON have the same content.
func TestTableAndJSONHaveTheSameContent(t *testing.T) {
	u := newUser(t)
	u.succeeds(t, "install", "-undescribed", u.source(t, "greet-plugin-loud_v1.0.0", "one"), u.source(t, "greet-plugin-soft", "two"))
	for name, mode := range map[string]os.FileMode{"greet-plugin-new_v1": 0o755, "greet-plugin-calm": 0o755, "greet-plugin-x_vms_vax": 0o755} {
		if err := os.WriteFile(filepath.Join(u.dir, name), []byte(name), mode); err != nil {
			t.Fatal(err)
		}
	}
	var list struct {
		Plugins []struct{ Name, Version, Platform, State, Error, SHA256 string }
	}
	if err := json.Unmarshal([]byte(u.succeeds(t, "-json", "list")), &list); err != nil {
		t.Fatal(err)
	}
	var rows, notes []string
	for _, p := range list.Plugins {
		row := []string{p.Name, p.Version, p.Platform, p.State, p.SHA256[:min(len(p.SHA256), 12)]}
		for i, cell := range row {
			if cell == "" {
				row[i] = "-"
			}
		}
		rows = append(rows, strings.Join(row, " "))
		if p.Error != "" {
			notes = append(notes, p.Error)
		}
	}
	table := strings.Split(strings.TrimSpace(u.succeeds(t, "list")), "\n")
	if len(table) != 1+len(rows)+len(notes) || len(rows) != 5 || len(notes) != 3 {
		t.Fatalf("printed %q, and %q with %q", table, rows, notes)
	}
	for i, row := range rows {
		if got := strings.Join(strings.Fields(table[1+i]), " "); got != row {
			t.Errorf("the table has %q, JSON %q", got, row)
		}
	}
	for i, note := range notes {
		if got := table[1+len(rows)+i]; !strings.HasSuffix(got, ": "+note) {
			t.Errorf("the table has %q, JSON %q", got, note)
		}
	}
}

func TestStatusDistinguishesUsageErrorsFromFailures(t *testing.T) {
	u := newUser(t)
	for want, args := range map[int][]string{1: {"remove", "loud"}, 2: {"dance"}} {
		if _, err := u.types(t, args...); status(err) != want {
			t.Errorf("%q: %d", args, status(err))
		}
	}
}

func TestInstallReportsASumListedTwice(t *testing.T) {
	u := newUser(t)
	source := u.source(t, "greet-plugin-loud", "one")
	list := u.source(t, "SHA256SUMS", sums.Of([]byte("one")).String()+"  greet-plugin-loud\n"+sums.Of([]byte("two")).String()+"  greet-plugin-loud\n")
	if _, err := u.types(t, "install", "-undescribed", "-sums", list, source); !errors.Is(err, sums.ErrAmbiguous) {
		t.Errorf("got %v", err)
	}
}
