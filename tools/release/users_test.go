package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
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

// readme FOLDER writes the README's first plugin as a reader would: each quoted file of
// examples/basic, and commands.sh with the commands below them.
func readmeCommand(ts *testscript.TestScript, _ bool, args []string) {
	text, err := os.ReadFile(filepath.Join(ts.Getenv("RELEASED"), "README.md"))
	ts.Check(err)
	_, section, found := strings.Cut(string(text), "\n### A first plugin of your own\n")
	if !found {
		ts.Fatalf("the README has no section on a first plugin")
	}
	section, _, _ = strings.Cut(section, "\n### ")
	folder, count := ts.MkAbs(args[0]), 0
	for part := range strings.SplitSeq(section, "<!-- quote examples/basic/") {
		name, rest, found := strings.Cut(part, " -->\n```go\n")
		if !found {
			continue
		}
		code, _, _ := strings.Cut(rest, "\n```\n")
		code = strings.ReplaceAll(code, "github.com/jackfield-go/jackfield/examples/basic/", "example.com/greet/")
		ts.Check(writeFile(filepath.Join(folder, filepath.FromSlash(name)), []byte(code+"\n")))
		count++
	}
	var commands strings.Builder
	for line := range strings.Lines(section) {
		if command, ok := strings.CutPrefix(line, "    "); ok {
			commands.WriteString(command)
		}
	}
	if count != 3 || commands.Len() == 0 {
		ts.Fatalf("the README has %d files and the commands %q", count, commands.String())
	}
	ts.Check(writeFile(filepath.Join(folder, "commands.sh"), []byte(commands.String())))
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
