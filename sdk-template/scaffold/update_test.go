package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/names"
	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/render"
)

// olderRepository makes a repository from the older template, and commits it.
func olderRepository(t *testing.T) string {
	t.Helper()
	withModules(t)
	dir := filepath.Join(t.TempDir(), "acme-plugin-sdk")
	mustScaffold(t, filepath.Dir(dir), acme(append(fromModule(older), dir)...)...)
	return dir
}

// commitAll commits a test's changes.
func commitAll(t *testing.T, dir string) {
	t.Helper()
	run(t, dir, "git", "add", "--all")
	run(t, dir, "git", "commit", "--quiet", "--message", "own changes")
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestUpdateBringsAnOlderRepositoryToThePresentTemplate(t *testing.T) {
	dir := olderRepository(t)
	// The owner moves a file, deletes one, and adds one with a requirement.
	run(t, dir, "git", "mv", "wire.go", "convert.go")
	run(t, dir, "git", "rm", "--quiet", "acme_test.go", "process_test.go")
	write(t, filepath.Join(dir, "own", "own.go"), "// Package own is the owner's.\npackage own\n\nimport _ \"golang.org/x/mod/semver\"\n")
	run(t, dir, "go", "mod", "edit", "-require=golang.org/x/mod@v0.37.0")
	run(t, dir, "go", "mod", "tidy")
	commitAll(t, dir)
	before, err := render.ReadModule(dir)
	if err != nil {
		t.Fatal(err)
	}

	code, out := scaffold(t, dir, "check", "-to", present)
	if code != exitFailure || !strings.Contains(out, "there is "+present) {
		t.Errorf("check: exit code %d\n%s", code, out)
	}
	out = mustScaffold(t, dir, "update", "-to", "latest", "-dry-run")
	if !strings.Contains(out, "M  go.mod") {
		t.Errorf("the dry run says\n%s", out)
	}
	out = mustScaffold(t, dir, "diff", "-to", present)
	if !strings.Contains(out, "+++ b/go.mod") || !strings.Contains(out, `+  "version": "`+present) {
		t.Errorf("diff says\n%s", out)
	}
	sameTree(t, dir, before)
	if status := run(t, dir, "git", "status", "--porcelain"); status != "" {
		t.Errorf("looking has changed\n%s", status)
	}

	out = mustScaffold(t, dir, "update", "-to", present)
	if !strings.Contains(out, "git reset --hard") {
		t.Errorf("update says\n%s", out)
	}
	record, err := render.ReadRecord(dir)
	if err != nil || record.Version != present {
		t.Errorf("the record is %+v, %v", record, err)
	}
	if mod := read(t, filepath.Join(dir, "go.mod")); !strings.Contains(mod, "golang.org/x/mod v0.37.0") || !strings.Contains(mod, "/core "+present) {
		t.Errorf("go.mod is\n%s", mod)
	}
	if exists(t, filepath.Join(dir, "wire.go")) || exists(t, filepath.Join(dir, "acme_test.go")) || !exists(t, filepath.Join(dir, "convert.go")) {
		t.Error("moved or deleted files are back")
	}
	run(t, dir, "go", "build", "./...")
	t.Log(run(t, dir, "go", "test", "./..."))
	run(t, dir, "go", "mod", "tidy", "-diff")
	commitAll(t, dir)
	if out := mustScaffold(t, dir, "check", "-to", present); !strings.Contains(out, "nothing newer") {
		t.Errorf("check says\n%s", out)
	}
	if code, out := scaffold(t, dir, "update", "-to", older); code != exitFailure || !strings.Contains(out, "newer than "+older) {
		t.Errorf("back: exit code %d\n%s", code, out)
	}
	// The result equals the present template, except for the owner's changes.
	fresh := t.TempDir()
	mustScaffold(t, fresh, acme(append(fromModule(present), ".")...)...)
	cookies := strings.NewReplacer(cookieOf(t, fresh), record.Cookie)
	for _, p := range []string{"handshake.go", "Makefile", "convert.go", "proto/acme/v2/notifier.pb.go", "plugins/python/acme.binpb", "plugins/go/main.go", ".jackfield.json"} {
		want := cookies.Replace(read(t, filepath.Join(fresh, strings.Replace(p, "convert.go", "wire.go", 1))))
		if got := read(t, filepath.Join(dir, filepath.FromSlash(p))); got != want {
			t.Errorf("%s is\n%s\nwant\n%s", p, got, want)
		}
	}
}

func TestUpdateListsConflictsAndExitsWith2(t *testing.T) {
	dir := olderRepository(t)
	write(t, filepath.Join(dir, "Makefile"), "all:\n\techo mine\n")
	commitAll(t, dir)
	before, err := render.ReadModule(dir)
	if err != nil {
		t.Fatal(err)
	}
	code, out := scaffold(t, dir, "update", "-to", present, "-dry-run")
	if code != exitConflicts || !strings.Contains(out, "U  Makefile") {
		t.Errorf("dry run: exit code %d\n%s", code, out)
	}
	sameTree(t, dir, before)
	code, out = scaffold(t, dir, "update", "-to", present)
	if code != exitConflicts || !strings.Contains(out, "Conflicts:\n  Makefile\n") || !strings.Contains(out, "scaffold generate") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if status := run(t, dir, "git", "status", "--porcelain"); !strings.Contains(status, "UU Makefile\n") || strings.Contains(status, ".pb.go") {
		t.Errorf("the status is\n%s", status)
	}
	if code, out := scaffold(t, dir, "update", "-to", present); code != exitFailure || !strings.Contains(out, "uncommitted changes") {
		t.Errorf("during a merge: exit code %d\n%s", code, out)
	}
	run(t, dir, "git", "checkout", "--theirs", "Makefile")
	mustScaffold(t, dir, "generate")
	run(t, dir, "go", "build", "./...")
	run(t, dir, "git", "reset", "--quiet", "--hard")
	sameTree(t, dir, before)
}

func TestUpdateLeavesTheRepositoryUnchangedAfterAFailure(t *testing.T) {
	dir := olderRepository(t)
	// go mod tidy cannot find this module.
	write(t, filepath.Join(dir, "own", "own.go"), "package own\n\nimport _ \"example.com/nowhere\"\n")
	commitAll(t, dir)
	before, err := render.ReadModule(dir)
	if err != nil {
		t.Fatal(err)
	}
	code, out := scaffold(t, dir, "update", "-to", present)
	if code != exitFailure || !strings.Contains(out, "example.com/nowhere") || !strings.Contains(out, "The repository is unchanged") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	sameTree(t, dir, before)
	if out := run(t, dir, "git", "status", "--porcelain") + entries(t, filepath.Dir(dir)); out != "acme-plugin-sdk" {
		t.Errorf("it left\n%s", out)
	}
	code, out = scaffold(t, dir, "update", "-to", "v0.9.9")
	if code != exitFailure || !strings.Contains(out, "v0.9.9") {
		t.Errorf("a missing version: exit code %d\n%s", code, out)
	}
}

func TestUpdateOfARepositoryFromAFolderUsesFolders(t *testing.T) {
	withModules(t)
	was, is := t.TempDir(), t.TempDir()
	template := olderTemplate(t)
	if err := template.Write(was); err != nil {
		t.Fatal(err)
	}
	template["wire.go"] = append(template["wire.go"], "\n// notely has more.\n"...)
	if err := template.Write(is); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "sdk")
	mustScaffold(t, was, acme("-template", was, "-jackfield", older, dir)...)
	if code, out := scaffold(t, dir, "update", "-template", is, "-jackfield", older); code != exitUsage || !strings.Contains(out, "-base") {
		t.Errorf("without -base: exit code %d\n%s", code, out)
	}
	mustScaffold(t, dir, "update", "-template", is, "-base", was, "-jackfield", older)
	if got := run(t, dir, "git", "diff", "--cached", "--stat"); !strings.Contains(got, "1 file changed") {
		t.Errorf("changed:\n%s", got)
	}
	if got := read(t, filepath.Join(dir, "wire.go")); !strings.HasSuffix(got, "// acme has more.\n") {
		t.Errorf("wire.go is\n%s", got)
	}
	commitAll(t, dir)
	if out := mustScaffold(t, dir, "update", "-template", is, "-base", is, "-jackfield", older); !strings.Contains(out, "Nothing changes") {
		t.Errorf("again it says\n%s", out)
	}
	if code, out := scaffold(t, dir, "check", "-template", is); code != exitUsage || !strings.Contains(out, "no version to compare with") {
		t.Errorf("check: exit code %d\n%s", code, out)
	}
}

func TestUpdateRefusesARepositoryOfAnotherTemplate(t *testing.T) {
	dir := t.TempDir()
	record := render.Record{
		Template: "example.com/other/template", Version: "v1.0.0", Cookie: strings.Repeat("a", 64),
		Answers: names.Answers{Module: "example.com/acme/sdk", App: "acme", Service: "Notifier"},
	}
	write(t, filepath.Join(dir, render.RecordFile), string(record.Marshal()))
	run(t, dir, "git", "init", "--quiet")
	commitAll(t, dir)
	code, out := scaffold(t, dir, "diff", "-to", present)
	if code != exitFailure || !strings.Contains(out, "run example.com/other/template/scaffold") {
		t.Errorf("exit code %d\n%s", code, out)
	}
}
