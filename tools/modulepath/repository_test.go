package main

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// everything selects all checks and all tests of the moved repository: `make
// test-module-path`.
var everything = flag.Bool("everything", false, "run make check test in the moved repository")

// inCopy is set in the tests of a moved repository.
const inCopy = "JACKFIELD_MODULE_PATH_COPY"

// tested lists the tests to run in the moved repository. They cover code that carries a
// path at run time (descriptors, error texts, build information) and documents that quote
// code. `go vet` compiles all others.
var tested = map[string][]string{
	"core":             {"./..."},
	"discovery":        {"./..."},
	"examples":         {"-run=Documents|GeneratedCode", "."},
	"proto":            {"./..."},
	"sdk-template":     {"./..."},
	"transport-grpc":   {"./..."},
	"transport-netrpc": {"./..."},
}

func TestMovedRepositoryPassesItsTests(t *testing.T) {
	if os.Getenv(inCopy) != "" {
		t.Skip("only outside a moved repository")
	}
	tree := copyRepository(t)
	old, _, err := tree.modules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), t.Output(), string(tree), newPath, ""); err != nil {
		t.Fatal(err)
	}
	checkNoFileHas(t, tree, old)

	// The checks compare with the last commit.
	commit(t, tree)
	if *everything {
		command(t, tree, ".", "make", "--keep-going", "check", "test")
		return
	}
	command(t, tree, ".", "make", "check-format", "check-tidy", "check-proto", "check-generated")
	_, folders, err := tree.modules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		command(t, tree, folder, "go", "build", "./...")
		command(t, tree, folder, "go", "vet", "./...")
		if args := tested[folder]; args != nil {
			command(t, tree, folder, "go", append([]string{"test"}, args...)...)
		}
	}
	for folder := range tested {
		if !slices.Contains(folders, folder) {
			t.Errorf("no module %s", folder)
		}
	}
}

// copyRepository copies the present work tree into a new repository.
func copyRepository(t *testing.T) worktree {
	from, to := worktree(filepath.Join("..", "..")), repository(t, map[string]string{"README.md": ""})
	names, err := from.files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		source := filepath.Join(string(from), filepath.FromSlash(name))
		info, err := os.Stat(source)
		if err != nil {
			t.Fatal(err)
		}
		text, err := from.read(name)
		if err != nil {
			t.Fatal(err)
		}
		write(t, to, name, string(text))
		if err := os.Chmod(filepath.Join(string(to), filepath.FromSlash(name)), info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	commit(t, to)
	return to
}

// checkNoFileHas fails if a file contains the old path, in text or bytes. It skips git's
// own files and programs in bin, because they contain it.
func checkNoFileHas(t *testing.T, tree worktree, old string) {
	files := 0
	err := filepath.WalkDir(string(tree), func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || name == filepath.Join(string(tree), "bin")):
			return filepath.SkipDir
		case entry.IsDir():
			return nil
		}
		text, err := os.ReadFile(name)
		if bytes.Contains(text, []byte(old)) {
			t.Errorf("%s still has %s", name, old)
		}
		files++
		return err
	})
	if err != nil || files < 100 {
		t.Errorf("looked at %d files: %v", files, err)
	}
}

// command runs a program in a folder of the tree: the go command without any workspace, and
// make as a user would.
func command(t *testing.T, tree worktree, folder, program string, args ...string) {
	workspace := "GOWORK="
	if program == "go" {
		workspace = "GOWORK=off"
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = filepath.Join(string(tree), folder)
	cmd.Env = append(environment(), workspace, inCopy+"=1")
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Run(); err != nil {
		t.Errorf("in %s: %v: %v", folder, cmd.Args, err)
	}
}
