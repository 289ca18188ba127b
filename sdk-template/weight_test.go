package notely_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// goCommand runs the go command in a directory and returns what it prints.
func goCommand(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir, cmd.Env = dir, append(append(os.Environ(), "GOWORK=off"), env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return strings.TrimSpace(string(out))
}

// requirements is a part of go.mod, as the go command prints it.
type requirements struct {
	Module  struct{ Path string }
	Require []struct {
		Path     string
		Indirect bool
	}
	Replace []struct{ Old, New struct{ Path string } }
}

func readRequirements(t *testing.T, dir string) (r requirements) {
	t.Helper()
	if err := json.Unmarshal([]byte(goCommand(t, dir, nil, "mod", "edit", "-json")), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// The plugin in Go is copied into a module of its own, with an empty module
// cache: what is in the cache after the build was downloaded for it.
func TestAPluginRequiresTheSDKAndDownloadsNothingOfTheApplication(t *testing.T) {
	sdk, dir, cache := readRequirements(t, "."), t.TempDir(), t.TempDir()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{"module example.com/plugin", "go 1.25.0", "require " + sdk.Module.Path + " v0.0.0"}
	lines = append(lines, fmt.Sprintf("replace %s => %q", sdk.Module.Path, here))
	for _, replace := range sdk.Replace {
		lines = append(lines, fmt.Sprintf("replace %s => %q", replace.Old.Path, filepath.Join(here, replace.New.Path)))
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("plugins", "go"))); err != nil {
		t.Fatal(err)
	}
	local := "file://" + filepath.ToSlash(filepath.Join(goCommand(t, ".", nil, "env", "GOMODCACHE"), "cache", "download"))
	env := []string{
		"GOMODCACHE=" + cache, "GOFLAGS=-mod=mod -modcacherw", "GOSUMDB=off",
		"GOPROXY=" + local + "," + goCommand(t, ".", nil, "env", "GOPROXY"),
	}
	goCommand(t, dir, env, "list", "-deps", ".") // downloads as a build does

	for _, required := range readRequirements(t, dir).Require {
		if !required.Indirect && required.Path != sdk.Module.Path {
			t.Errorf("the plugin requires %s", required.Path)
		}
	}
	needed := goCommand(t, ".", nil, "list", "-deps", "-f", "{{with .Module}}{{.Path}}/@v{{end}}", ".")
	err = fs.WalkDir(os.DirFS(filepath.Join(cache, "cache", "download")), ".", func(path string, _ fs.DirEntry, err error) error {
		folder := strings.ReplaceAll(path[:max(strings.LastIndex(path, "/"), 0)], "!", "") // of capitals
		if strings.HasSuffix(path, ".zip") && !strings.Contains(strings.ToLower(needed), folder) {
			t.Errorf("downloaded %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
