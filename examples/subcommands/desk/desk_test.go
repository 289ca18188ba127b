package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// bin has the built programs, under the names of their folders.
var bin string

func TestMain(m *testing.M) {
	status, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

func buildAndRun(m *testing.M) (status int, err error) {
	if bin, err = os.MkdirTemp("", "desk-"); err != nil {
		return 0, err
	}
	defer os.RemoveAll(bin)
	if out, err := exec.Command("go", "build", "-o", bin, ".", "../plugin-greet", "../plugin-sign").CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build the programs: %w\n%s", err, out)
	}
	return m.Run(), nil
}

// user is a person with plugins beside the settings.
type user struct{ plugins string }

func newUser(t *testing.T) user {
	t.Helper()
	root := t.TempDir()
	for _, variable := range []string{"HOME", "USERPROFILE", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "APPDATA", "LOCALAPPDATA"} {
		t.Setenv(variable, root)
	}
	t.Setenv("PATH", filepath.Join(root, "bin"))
	config, err := os.UserConfigDir()
	if err != nil {
		t.Fatal(err)
	}
	u := user{plugins: filepath.Join(config, "desk", "plugins")}
	if err := os.MkdirAll(u.plugins, 0o755); err != nil {
		t.Fatal(err)
	}
	return u
}

func exe(name string) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return name
}

// install gives a built plugin its name, in a directory.
func install(t *testing.T, folder, dir, name string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(bin, exe(folder)), filepath.Join(dir, exe(name))); err != nil {
		t.Fatal(err)
	}
}

// types runs the program, and returns its output.
func types(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errOut strings.Builder
	err = run(t.Context(), args, &out, &errOut)
	return out.String(), errOut.String(), err
}

func TestSubcommandIsThePluginOfItsName(t *testing.T) {
	u := newUser(t)
	install(t, "plugin-greet", u.plugins, "desk-plugin-greet")
	stdout, stderr, err := types(t, "greet", "Ann")
	if err != nil || stdout != "Hello, Ann!\n" || stderr != "" {
		t.Errorf("printed %q and %q, %v", stdout, stderr, err)
	}
	var status statusError
	if _, stderr, err := types(t, "greet", "--loud"); !errors.As(err, &status) || status != 2 || !strings.Contains(stderr, "usage: desk greet") {
		t.Errorf("printed %q, %v", stderr, err)
	}
}

func TestSubcommandIsFoundInPATH(t *testing.T) {
	newUser(t)
	install(t, "plugin-greet", os.Getenv("PATH"), "desk-plugin-hello")
	if stdout, _, err := types(t, "hello", "Ann"); err != nil || stdout != "Hello, Ann!\n" {
		t.Errorf("printed %q, %v", stdout, err)
	}
}

func TestUnknownSubcommandIsExplained(t *testing.T) {
	u := newUser(t)
	install(t, "plugin-greet", u.plugins, "desk-plugin-greet")
	if err := os.WriteFile(filepath.Join(u.plugins, "desk-plugin-notes_new"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"gret":   `there is no command "gret"; is "greet" meant?`,
		"plugin": `there is no command "plugin"; is "plugins" meant?`,
		"bake":   `there is no command "bake" (desk --help lists all)`,
		"notes":  "desk-plugin-notes_new: its name is none of a plugin's",
	} {
		if _, _, err := types(t, name, "x"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
}

func TestHelpAndCompletionShowThePluginsOwnLines(t *testing.T) {
	u := newUser(t)
	install(t, "plugin-greet", u.plugins, "desk-plugin-greet")
	for _, args := range [][]string{nil, {"--help"}, {"help"}} {
		if stdout, _, err := types(t, args...); err != nil || !strings.Contains(stdout, "greet       Greet a person\n") {
			t.Errorf("%q: printed %s, %v", args, stdout, err)
		}
	}
	if stdout, _, err := types(t, "__complete", "g"); err != nil || !strings.HasPrefix(stdout, "greet\tGreet a person\n:") {
		t.Errorf("printed %s, %v", stdout, err)
	}
	if stdout, _, err := types(t, "completion", "bash"); err != nil || !strings.Contains(stdout, "__complete") {
		t.Errorf("printed %s, %v", stdout, err)
	}
}

// Their answers cost a process each, and a subcommand has nothing to do with them.
func TestSubcommandRunsNoOtherPlugin(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("only where a script is a program")
	}
	u := newUser(t)
	install(t, "plugin-greet", u.plugins, "desk-plugin-greet")
	ran := filepath.Join(u.plugins, "ran")
	for _, name := range []string{"desk-plugin-other", "desk-plugin-help"} {
		if err := os.WriteFile(filepath.Join(u.plugins, name), []byte("#!/bin/sh\necho $0 >>"+ran+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"greet", "Ann"}, {"plugins"}} {
		if _, _, err := types(t, args...); err != nil {
			t.Error(err)
		}
	}
	if out, err := os.ReadFile(ran); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("ran %s, %v", out, err)
	}
	if stdout, _, err := types(t, "help"); err != nil || !strings.Contains(stdout, "other       (no description)") {
		t.Errorf("printed %s, %v", stdout, err)
	}
	if out, err := os.ReadFile(ran); err != nil || !strings.HasSuffix(string(out), "other\n") || strings.Contains(string(out), "desk-plugin-help") {
		t.Errorf("the help has run %s, %v", out, err)
	}
}

func TestPluginsListsFilesThatAreNone(t *testing.T) {
	u := newUser(t)
	install(t, "plugin-greet", u.plugins, "desk-plugin-greet")
	install(t, "plugin-greet", os.Getenv("PATH"), "desk-plugin-greet")
	stdout, stderr, err := types(t, "plugins")
	if err != nil || !strings.Contains(stdout, "greet  -        user   "+u.plugins) {
		t.Errorf("printed %s, %v", stdout, err)
	}
	shadow := filepath.Join(os.Getenv("PATH"), exe("desk-plugin-greet"))
	if !strings.Contains(stderr, "not used: "+shadow+": a file in an earlier place is the same plugin") {
		t.Errorf("printed %s", stderr)
	}
}
