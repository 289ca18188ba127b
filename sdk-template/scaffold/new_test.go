package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"

	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/names"
	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/render"
)

// checkOwn checks a repository for leftovers of the template's names, and for its own
// record, cookie and go.mod.
func checkOwn(t *testing.T, dir string, want names.Answers) {
	t.Helper()
	record, err := render.ReadRecord(dir)
	if err != nil || record.Answers != want {
		t.Fatalf("the record is %+v, %v", record, err)
	}
	tree, err := render.ReadFolder(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	template := names.Template(templateModule())
	scaffolder := templateModule() + "/scaffold"
	for p, data := range tree {
		text := strings.ReplaceAll(string(data), scaffolder, "")
		if p == render.RecordFile || p == "LICENSE" {
			text = strings.ReplaceAll(text, templateModule(), "")
		}
		for _, form := range names.Leftovers(p+"\n"+text, template, want) {
			t.Errorf("%s: %q remains", p, form)
		}
	}
	mod, err := modfile.Parse("go.mod", tree["go.mod"], nil)
	if err != nil || len(mod.Replace) > 0 || mod.Module.Mod.Path != want.Module {
		t.Errorf("go.mod: %v\n%s", err, tree["go.mod"])
	}
	old, err := os.ReadFile("testdata/../../handshake.go")
	cookie := regexp.MustCompile(`cookieValue = "([0-9a-f]{64})"`)
	if err == nil && string(cookie.Find(old)) == string(cookie.Find(tree["handshake.go"])) {
		t.Error("the cookie is the template's")
	}
	if !strings.Contains(string(tree["handshake.go"]), record.Cookie) {
		t.Error("the cookie is not the record's")
	}
}

func TestNewMakesWorkingRepositoriesForNamesOfAnyLength(t *testing.T) {
	withModules(t)
	for _, answers := range []names.Answers{
		{Module: "example.com/q", App: "qx", Service: "Kv"},
		// This path sorts after Jackfield's in the imports.
		{Module: "github.com/zeta/international/plugin-sdk", App: "internationaltranslator", Service: "HTTPTranslationMemoryStore"},
	} {
		t.Run(answers.App, func(t *testing.T) {
			here, err := os.Getwd()
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "sdk")
			mustScaffold(t, filepath.Dir(dir), append(fromModule(present),
				"-module", answers.Module, "-app", answers.App, "-service", answers.Service, dir)...)
			t.Chdir(here)
			checkOwn(t, dir, answers)
			run(t, dir, "go", "build", "./...")
			run(t, dir, "go", "test", "-count=1", ".", "./plugins/...")
			if out := run(t, dir, "gofmt", "-l", "."); out != "" {
				t.Errorf("gofmt would change %s", out)
			}
			if out := run(t, dir, "git", "status", "--porcelain"); out != "" {
				t.Errorf("not committed:\n%s", out)
			}
		})
	}
}

// This is a user's whole way, with the module cache of a fresh machine.
func TestNewWithTheReadmesCommandMakesAPassingRepository(t *testing.T) {
	withModules(t)
	parent := t.TempDir()
	// A workspace above does not list the new repository.
	if err := os.WriteFile(filepath.Join(parent, "go.work"), []byte("go 1.25.0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, parent, "git", "init", "--quiet")
	t.Setenv("GOWORK", "")
	out := run(t, parent, append([]string{"go", "run", templateModule() + "/scaffold@" + present}, acme("./acme-plugin-sdk")...)...)
	for _, want := range []string{"acme-plugin-sdk lies inside the repository", "template  " + templateModule() + " " + present, "go mod tidy", "one commit"} {
		if !strings.Contains(out, want) {
			t.Errorf("the output lacks %q:\n%s", want, out)
		}
	}
	dir := filepath.Join(parent, "acme-plugin-sdk")
	checkOwn(t, dir, names.Answers{Module: "example.com/acme/acme-plugin-sdk", App: "acme", Service: "Notifier"})
	t.Log(run(t, dir, "make", "test"))
	t.Log(run(t, dir, "make", "demo"))
}

func TestNewStagesEverythingWithoutAGitIdentity(t *testing.T) {
	withModules(t)
	for _, name := range []string{"GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"} {
		t.Setenv(name, "")
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	out := mustScaffold(t, dir, acme(append(fromModule(present), ".")...)...)
	if !strings.Contains(out, "everything is staged and nothing committed") {
		t.Errorf("the output does not report it:\n%s", out)
	}
	status := run(t, dir, "git", "status", "--porcelain")
	for line := range strings.Lines(status) {
		if !strings.HasPrefix(line, "A  ") {
			t.Errorf("not staged: %s", line)
		}
	}
	if !strings.Contains(status, "handshake.go") {
		t.Errorf("the status is\n%s", status)
	}
}

func TestNewCommitsFilesThatTheUserIgnoresElsewhere(t *testing.T) {
	dir, config := t.TempDir(), t.TempDir()
	write(t, filepath.Join(config, "ignore"), "*.pb.go\n")
	write(t, filepath.Join(config, "config"), "[core]\n\texcludesFile = "+filepath.ToSlash(config)+"/ignore\n")
	t.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(config, "config"))
	write(t, filepath.Join(dir, "proto", "acme.pb.go"), "package acme\n")
	c := &cli{out: t.Output()}
	if err := c.commit(t.Context(), dir, "Begin"); err != nil {
		t.Fatal(err)
	}
	if files := run(t, dir, "git", "ls-files"); files != "proto/acme.pb.go\n" {
		t.Errorf("git has %q", files)
	}
}

func TestNewFinishesAfterItsOutputIsClosed(t *testing.T) {
	withModules(t)
	program := filepath.Join(t.TempDir(), "scaffold")
	run(t, ".", "go", "build", "-o", program, ".")
	dir := filepath.Join(t.TempDir(), "sdk")
	cmd := exec.CommandContext(t.Context(), program, acme(append(fromModule(present), dir)...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	run(t, dir, "git", "log", "-1")
}
