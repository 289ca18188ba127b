package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/names"
	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/render"
)

// copyTemplate writes the released template's files into a folder.
func copyTemplate(t *testing.T, dir string) {
	t.Helper()
	source, err := download(t.Context(), templateModule(), present)
	if err != nil {
		t.Fatal(err)
	}
	if err := source.Files.Write(dir); err != nil {
		t.Fatal(err)
	}
}

func TestRenameMakesTheSameFilesAsNew(t *testing.T) {
	withModules(t)
	want := t.TempDir()
	mustScaffold(t, want, acme(append(fromModule(present), ".")...)...)
	made, err := render.ReadFolder(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name    string
		prepare func(dir string)
		args    []string
	}{
		{"a copy", func(string) {}, acme()},
		{"a clone", func(dir string) {
			run(t, dir, "git", "init", "--quiet")
			run(t, dir, "git", "add", "--all")
			run(t, dir, "git", "commit", "--quiet", "--message", "a clone")
		}, acme()},
		{"gonew's result", func(dir string) {
			// gonew changes the module path only in go.mod and in Go code.
			for _, pattern := range []string{"go.mod", "*.go", "*/*.go", "*/*/*.go", "*/*/*/*.go"} {
				files, _ := filepath.Glob(filepath.Join(dir, pattern))
				for _, file := range files {
					data, err := os.ReadFile(file)
					if err != nil {
						t.Fatal(err)
					}
					data = bytes.ReplaceAll(data, []byte(`"`+templateModule()), []byte(`"example.com/acme/acme-plugin-sdk`))
					data = bytes.ReplaceAll(data, []byte(`module `+templateModule()), []byte(`module example.com/acme/acme-plugin-sdk`))
					if err := os.WriteFile(file, data, 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
		}, []string{"-app", "acme", "-service", "Notifier"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			copyTemplate(t, dir)
			test.prepare(dir)
			mustScaffold(t, dir, append([]string{"rename"}, test.args...)...)
			checkOwn(t, dir, names.Answers{Module: "example.com/acme/acme-plugin-sdk", App: "acme", Service: "Notifier"})
			got, err := render.ReadFolder(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			cookies := strings.NewReplacer(cookieOf(t, dir), "COOKIE", cookieOf(t, want), "COOKIE")
			for p := range made {
				if cookies.Replace(string(got[p])) != cookies.Replace(string(made[p])) {
					t.Errorf("%s differs from the file of new:\n%s\n%s", p, got[p], made[p])
				}
			}
			if len(got) != len(made) {
				t.Errorf("it has %d files, new makes %d", len(got), len(made))
			}
			if code, out := scaffold(t, dir, append([]string{"rename"}, test.args...)...); code != exitFailure || !strings.Contains(out, "it has its own names already") {
				t.Errorf("a second time: exit code %d\n%s", code, out)
			}
		})
	}
}

func cookieOf(t *testing.T, dir string) string {
	t.Helper()
	record, err := render.ReadRecord(dir)
	if err != nil {
		t.Fatal(err)
	}
	return record.Cookie
}

func TestRenameLeavesTheCopyUnchangedAfterAFailure(t *testing.T) {
	withModules(t)
	dir := t.TempDir()
	copyTemplate(t, dir)
	mod := filepath.Join(dir, "go.mod")
	data, err := os.ReadFile(mod)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(mod, bytes.ReplaceAll(data, []byte(present), []byte("v0.7.0")), 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := render.ReadModule(dir)
	if err != nil {
		t.Fatal(err)
	}
	code, out := scaffold(t, dir, append([]string{"rename"}, acme()...)...)
	if code != exitFailure || !strings.Contains(out, "v0.7.0") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	sameTree(t, dir, before)
}

// sameTree checks that a folder has exactly the files of a tree.
func sameTree(t *testing.T, dir string, want render.Tree) {
	t.Helper()
	got, err := render.ReadModule(dir)
	if err != nil {
		t.Fatal(err)
	}
	for p := range got {
		if string(got[p]) != string(want[p]) {
			t.Errorf("%s has changed", p)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d files, want %d", len(got), len(want))
	}
}

func TestRenameNeedsCommittedFiles(t *testing.T) {
	withModules(t)
	dir := t.TempDir()
	copyTemplate(t, dir)
	run(t, dir, "git", "init", "--quiet")
	run(t, dir, "git", "add", "--all")
	code, out := scaffold(t, dir, append([]string{"rename"}, acme()...)...)
	if code != exitFailure || !strings.Contains(out, "uncommitted changes") {
		t.Errorf("exit code %d\n%s", code, out)
	}
}
