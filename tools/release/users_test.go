package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/mod/modfile"
)

var update = flag.Bool("update", false, "rewrite the lists of modules in the scripts")

// The scripts act as users, in an empty directory and with an empty module cache. They get
// the modules of a release of this tree from its proxy, build and run.
//
// Each script has two lists: the modules of the linked packages, and the whole module
// graph. A new dependency shows as a difference in them; `go test ./release -run TestUsers
// -update` rewrites the lists.
func TestUsers(t *testing.T) {
	released, version := releaseThisTree(t)
	prepare := setup(t)
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("testdata", "users"),
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("RELEASED", released)
			env.Setenv("VERSION", version)
			return prepare(env)
		},
		Condition: func(name string) (bool, error) {
			if name != "grpc-python" {
				return false, fmt.Errorf("unknown condition %q", name)
			}
			return hasGRPCPython(t), nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"useproxy": useProxyCommand,
			"example":  exampleCommand,
			"follow":   followCommand,
			"newer":    newerCommand,
			"readme":   readmeCommand,
			"linked":   modulesCommand("list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Version}}{{end}}", "./..."),
			"graph":    modulesCommand("list", "-m", "all"),
		},
	})
}

// hasGRPCPython reports whether the Makefile of the tutorial's SDK finds a python3 with gRPC.
func hasGRPCPython(t *testing.T) bool {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.CommandContext(t.Context(), python, "-c", "import grpc, google.protobuf").Run() == nil {
			return true
		}
	}
	return false
}

// releaseThisTree releases the present work tree from a copy, and returns the copy and the
// version.
func releaseThisTree(t *testing.T) (root, version string) {
	t.Helper()
	root = filepath.Join(t.TempDir(), "jackfield")
	tree := repository(filepath.Join("..", ".."))
	files, err := tree.lines(t.Context(), "ls-files", "-co", "--exclude-standard", "-z")
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(files[0], "\x00"), "\x00") {
		data, err := os.ReadFile(tree.path(filepath.FromSlash(name)))
		if os.IsNotExist(err) {
			continue // removed, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := writeFile(filepath.Join(root, filepath.FromSlash(name)), data); err != nil {
			t.Fatal(err)
		}
	}
	identity := []string{"-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"}
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"},
		{"add", "-A"},
		append(slices.Clone(identity), "commit", "-q", "-m", "this tree"),
	} {
		if _, err := repository(root).git(t.Context(), args...); err != nil {
			t.Fatal(err)
		}
	}
	log := new(bytes.Buffer)
	r := &release{log: log, root: repository(root), dryRun: true, tools: pinnedTools(t)}
	if err := makeRelease(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	t.Log(log)
	return root, r.version
}

// example FOLDER FROM... copies folders of the examples into a user's module, FOLDER, and
// changes the import paths accordingly.
func exampleCommand(ts *testscript.TestScript, _ bool, args []string) {
	examples := filepath.Join(ts.Getenv("RELEASED"), "examples")
	for _, from := range args[1:] {
		sources, err := filepath.Glob(filepath.Join(examples, from, "*.go"))
		ts.Check(err)
		if len(sources) == 0 {
			ts.Fatalf("no Go files in examples/%s", from)
		}
		for _, source := range sources {
			name, err := filepath.Rel(examples, source)
			ts.Check(err)
			data, err := os.ReadFile(source)
			ts.Check(err)
			if !strings.HasSuffix(name, ".pb.go") { // the path in a descriptor has a length before it
				data = bytes.ReplaceAll(data, []byte("github.com/jackfield-go/jackfield/examples/"), []byte("example.com/user/"))
			}
			ts.Check(writeFile(filepath.Join(ts.MkAbs(args[0]), name), data))
		}
	}
}

// titledFile is a file in the README: its path in a line, then a block of code.
var titledFile = regexp.MustCompile("(?m)^`(\\S+)` .*:\n\n(?:<!-- .* -->\n)?```\\w+\n((?s:.*?))^```$")

// readme FOLDER writes the README's first plugin as a reader would: its files, and commands.sh with the
// commands below them. The pinned buf takes the place of `go run` of the same version, whose build takes
// minutes.
func readmeCommand(ts *testscript.TestScript, _ bool, args []string) {
	text, err := os.ReadFile(filepath.Join(ts.Getenv("RELEASED"), "README.md"))
	ts.Check(err)
	_, section, found := strings.Cut(string(text), "\n## A first plugin\n")
	if !found {
		ts.Fatalf("the README has no section on a first plugin")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	checkPins(ts, section)
	folder, files := ts.MkAbs(args[0]), titledFile.FindAllStringSubmatch(section, -1)
	for _, file := range files {
		code := strings.ReplaceAll(file[2], "github.com/jackfield-go/jackfield/examples", "example.com/first")
		ts.Check(writeFile(filepath.Join(folder, filepath.FromSlash(file[1])), []byte(code)))
	}
	var commands strings.Builder
	_, after, _ := strings.Cut(section, "\nThen run ")
	for line := range strings.Lines(after) {
		if command, ok := strings.CutPrefix(line, "    "); ok {
			commands.WriteString(goRunBuf.ReplaceAllLiteralString(command, filepath.Join(ts.Getenv("TOOLS"), "buf")))
		}
	}
	if len(files) != 5 || commands.Len() == 0 {
		ts.Fatalf("the README has %d files and the commands %q", len(files), commands.String())
	}
	ts.Check(writeFile(filepath.Join(folder, "commands.sh"), []byte(commands.String())))
}

var (
	pin      = regexp.MustCompile(`([\w./-]+)@(v[\d.]+)`)
	goRunBuf = regexp.MustCompile(`go run github\.com/bufbuild/buf/cmd/buf@\S+`)
)

// checkPins compares the versions of generators in a text with those that tools/go.mod pins.
func checkPins(ts *testscript.TestScript, text string) {
	data, err := os.ReadFile(filepath.Join(ts.Getenv("RELEASED"), "tools", "go.mod"))
	ts.Check(err)
	mod, err := modfile.ParseLax("go.mod", data, nil)
	ts.Check(err)
	for _, match := range pin.FindAllStringSubmatch(text, -1) {
		if !slices.ContainsFunc(mod.Require, func(r *modfile.Require) bool {
			return r.Mod.Version == match[2] && strings.HasPrefix(match[1]+"/", r.Mod.Path+"/")
		}) {
			ts.Fatalf("tools/go.mod does not pin %s", match[0])
		}
	}
}

// modulesCommand makes a command that prints the modules listed by a go command, each once,
// with the word RELEASE as the version of the release.
func modulesCommand(args ...string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, _ []string) {
		ts.Check(ts.Exec("go", args...))
		lines := strings.Split(ts.ReadFile("stdout"), "\n")
		slices.Sort(lines)
		lines = slices.Compact(lines)
		text := strings.TrimLeft(strings.Join(lines, "\n"), "\n") + "\n"
		_, err := io.WriteString(ts.Stdout(), strings.ReplaceAll(text, ts.Getenv("VERSION"), "RELEASE"))
		ts.Check(err)
	}
}
