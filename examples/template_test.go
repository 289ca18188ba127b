package examples_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The plugin of the folder sdk-template gets its own module, which requires
// only the SDK, and an empty module cache. The cache then shows its downloads:
// only modules of the SDK for plugins, and none of the application's.
func TestTemplatePluginRequiresTheSDKAlone(t *testing.T) {
	sdk, err := filepath.Abs("../sdk-template")
	if err != nil {
		t.Fatal(err)
	}
	module, dir, cache := goCommand(t, sdk, nil, "list", "-m"), t.TempDir(), t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(sdk, "plugins", "go"))); err != nil {
		t.Fatal(err)
	}
	goMod := fmt.Sprintf("module example.com/plugin\ngo 1.25.0\nrequire %s v0.0.0\nreplace %s => %s\n", module, module, sdk)
	text, err := os.ReadFile(filepath.Join(sdk, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if _, siblings, ok := strings.Cut(string(text), "\nreplace "); ok {
		goMod += "replace " + strings.ReplaceAll(siblings, "=> ../", "=> "+filepath.Dir(sdk)+string(filepath.Separator))
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(goMod), 0o644); err != nil {
		t.Fatal(err)
	}
	downloaded := filepath.Join(goCommand(t, sdk, nil, "env", "GOMODCACHE"), "cache", "download")
	env := []string{
		"GOMODCACHE=" + cache, "GOFLAGS=-modcacherw -mod=mod", "GOSUMDB=off",
		"GOPROXY=file://" + filepath.ToSlash(downloaded) + "," + goCommand(t, sdk, nil, "env", "GOPROXY"),
	}
	goCommand(t, dir, env, "list", "-deps", ".") // downloads like a build, in a tenth of its time

	direct := goCommand(t, dir, env, "list", "-m", "-f", "{{if not (or .Indirect .Main)}}{{.Path}}{{end}}", "all")
	if strings.TrimSpace(direct) != module {
		t.Errorf("the plugin requires %q", direct)
	}
	needed := goCommand(t, sdk, nil, "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".")
	for path := range strings.FieldsSeq(needed) {
		_ = os.RemoveAll(filepath.Join(cache, "cache", "download", filepath.FromSlash(path), "@v"))
	}
	if err := filepath.WalkDir(cache, func(path string, _ os.DirEntry, err error) error {
		if filepath.Ext(path) == ".zip" {
			t.Errorf("downloaded %s", path)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// goCommand returns the go command's output.
func goCommand(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir, cmd.Env, cmd.Stderr = dir, append(append(os.Environ(), "GOWORK=off"), env...), t.Output()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %q: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}

// The template's protocol is compared with its last release, and before that with the main branch.
func TestTemplateComparesItsProtocolWithTheLastTag(t *testing.T) {
	for _, program := range []string{"make", "git"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("needs: %s on the PATH", program)
		}
	}
	cleanEnvironment(t)
	dir := t.TempDir()
	copyFile(t, filepath.Join(dir, "Makefile"), "..", "sdk-template", "Makefile")
	command(t, dir, "git", "init", "--quiet")
	commit := func(tag string) {
		git := []string{"-c", "user.name=nobody", "-c", "user.email=nobody@example.org", "-c", "commit.gpgSign=false", "-c", "tag.gpgSign=false"}
		command(t, dir, "git", append(git, "commit", "--quiet", "--allow-empty", "--message=A change")...)
		if tag != "" {
			command(t, dir, "git", append(git, "tag", tag)...)
		}
	}
	for _, test := range []struct{ tag, against string }{
		{"", ".git#branch=main"},
		{"v0.1.0", ".git#tag=v0.1.0"},
		{"", ".git#tag=v0.1.0"},
		{"v0.2.0", ".git#tag=v0.2.0"},
		{"other", ".git#tag=v0.2.0"},
	} {
		commit(test.tag)
		if printed := command(t, dir, "make", "--dry-run", "breaking"); !strings.Contains(printed, "--against '"+test.against+"'") {
			t.Errorf("after the tag %q it compares by %q, want %q", test.tag, printed, test.against)
		}
	}
}
