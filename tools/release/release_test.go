package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/tools/txtar"
)

func TestMain(m *testing.M) {
	if err := forgetRepository(context.Background()); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){"release-tool": main})
}

// The scripts release the small repository of testdata/panel.txtar.
func TestRelease(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   filepath.Join("testdata", "script"),
		Setup: setup(t),
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"release":    releaseCommand,
			"repository": repositoryCommand,
			"commit":     gitCommand("commit", "-qam", "change"),
			"undo":       gitCommand("reset", "-q", "--hard", "HEAD^"),
			"clean":      cleanCommand,
			"untouched":  untouchedCommand,
			"replace":    replaceCommand,
			"useproxy":   useProxyCommand,
		},
	})
}

// setup gives scripts the build cache, this machine's modules, a name for git, and the
// pinned tools.
func setup(t *testing.T) func(*testscript.Env) error {
	tools := pinnedTools(t)
	panel, err := filepath.Abs(filepath.Join("testdata", "panel.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	inherited := []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GONOSUMDB", "GOTOOLCHAIN"}
	output, err := command(t.Context(), "", os.Environ(), "go", append([]string{"env"}, inherited...)...)
	if err != nil {
		t.Fatal(err)
	}
	values := strings.Split(output, "\n")
	return func(env *testscript.Env) error {
		for i, name := range inherited {
			env.Setenv(name, values[i])
		}
		home := filepath.Join(env.WorkDir, ".home")
		env.Setenv("HOME", home)
		env.Setenv("TOOLS", tools)
		env.Setenv("PANEL", panel)
		env.Setenv("GOFLAGS", "-modcacherw")
		env.Setenv("GOWORK", "off")
		env.Setenv("GIT_CONFIG_NOSYSTEM", "1")
		config := "[user]\n\tname = Test\n\temail = test@example.org\n[advice]\n\tdetachedHead = false\n"
		if err := os.MkdirAll(home, 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(home, ".gitconfig"), []byte(config), 0o644)
	}
}

// pinnedTools returns a folder with the tools of a release, as pinned by tools/go.mod. The
// go command keeps them in its build cache.
func pinnedTools(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"apidiff", "buf", "cyclonedx-gomod"} {
		path, err := command(t.Context(), "", append(os.Environ(), "GOWORK=off"), "go", "tool", "-n", name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(strings.TrimSpace(path), filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// release ARGUMENTS runs the program with the pinned tools.
func releaseCommand(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec("release-tool", append([]string{"-tools", ts.Getenv("TOOLS")}, args...)...)
	if (err == nil) == neg {
		ts.Fatalf("release %v: %v", args, err)
	}
}

// repository FOLDER makes the small repository, and commits all files except ignored ones.
func repositoryCommand(ts *testscript.TestScript, _ bool, args []string) {
	source := ts.ReadFile(ts.Getenv("PANEL"))
	root := ts.MkAbs(args[0])
	archive := txtar.Parse([]byte(source))
	for _, file := range archive.Files {
		ts.Check(writeFile(filepath.Join(root, filepath.FromSlash(file.Name)), file.Data))
		if file.Name == "LICENSE" {
			for _, folder := range []string{"leaf", "stem", "inner"} {
				ts.Check(writeFile(filepath.Join(root, folder, "LICENSE"), file.Data))
			}
		}
	}
	before := ts.MkAbs(".")
	ts.Check(ts.Chdir(root))
	for _, args := range [][]string{
		{filepath.Join(ts.Getenv("TOOLS"), "buf"), "build", "proto", "--exclude-source-info", "-o", "proto/released.binpb"},
		{"git", "init", "-q", "-b", "main"},
		{"git", "add", "-A"},
		{"git", "commit", "-q", "-m", "first"},
	} {
		ts.Check(ts.Exec(args[0], args[1:]...))
	}
	ts.Check(ts.Chdir(before))
}

func writeFile(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}

// gitCommand makes a script command that runs a git command after adding new files.
func gitCommand(args ...string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, _ []string) {
		ts.Check(ts.Exec("git", "add", "-A"))
		ts.Check(ts.Exec("git", args...))
	}
}

// clean fails if the work tree has changes.
func cleanCommand(ts *testscript.TestScript, _ bool, _ []string) {
	changed, err := repository(ts.MkAbs(".")).git(context.Background(), "status", "--porcelain")
	ts.Check(err)
	if changed != "" {
		ts.Fatalf("the tree has changes:\n%s", changed)
	}
}

// untouched fails if a release left a tag, a branch or a file in bin.
func untouchedCommand(ts *testscript.TestScript, _ bool, _ []string) {
	root := repository(ts.MkAbs("."))
	refs, err := root.git(context.Background(), "for-each-ref", "--format=%(refname)")
	ts.Check(err)
	if refs != "refs/heads/main" {
		ts.Fatalf("refs are left:\n%s", refs)
	}
	left, err := filepath.Glob(root.path("bin", "*"))
	ts.Check(err)
	hidden, err := filepath.Glob(root.path("bin", ".*"))
	ts.Check(err)
	if left = append(left, hidden...); len(left) > 0 {
		ts.Fatalf("files are left: %v", left)
	}
}

// replace FILE PATTERN TEXT changes a file; the file must contain the pattern.
func replaceCommand(ts *testscript.TestScript, _ bool, args []string) {
	before := ts.ReadFile(args[0])
	after := regexp.MustCompile(args[1]).ReplaceAllString(before, args[2])
	if before == after {
		ts.Fatalf("%s has no %s", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(after), 0o644))
}

// useproxy REPOSITORY takes modules from the repository's release, as a user does, with a
// separate module cache.
func useProxyCommand(ts *testscript.TestScript, _ bool, args []string) {
	cache := ts.Getenv("GOMODCACHE")
	ts.Setenv("GOPROXY", strings.Join([]string{
		fileURL(filepath.Join(args[0], "bin", "release", "proxy")),
		fileURL(filepath.Join(cache, "cache", "download")),
		ts.Getenv("GOPROXY"),
	}, ","))
	ts.Setenv("GOMODCACHE", ts.MkAbs(filepath.Join(ts.Getenv("WORK"), ".modcache")))
	ts.Setenv("GONOSUMDB", "example.org,github.com/jackfield-go/jackfield")
}

func TestLicencesOutsideTheListAreRefused(t *testing.T) {
	bad := map[string]string{}
	if err := findLicences(filepath.Join("testdata", "bill.cdx.json"), "example.org/acme/panel", bad); err != nil {
		t.Fatal(err)
	}
	if len(bad) != 2 || bad["example.org/none"] != "no licence found" || !strings.HasPrefix(bad["example.org/copyleft"], "its licence is AGPL-3.0-only, ") {
		t.Errorf("got %q", bad)
	}
}
