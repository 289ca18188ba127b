package main

import (
	"archive/zip"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/sums"
	"github.com/jackfield-go/jackfield/sdk-template/notelyhost"
	"github.com/jackfield-go/jackfield/sdk-template/notelytest"
)

// terminal runs commands for one directory of installed plugins.
type terminal struct{ dir string }

func (u terminal) try(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var stdout strings.Builder
	err := run(t.Context(), append([]string{"--dir", u.dir}, args...), &stdout, t.Output())
	return stdout.String(), err
}

func (u terminal) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := u.try(t, args...)
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return out
}

// release puts archives of the plugin in Go, and their sums, into a folder.
func release(t *testing.T, folder string, versions ...string) {
	t.Helper()
	exe := map[bool]string{true: ".exe"}[runtime.GOOS == "windows"]
	var list sums.List
	for _, version := range versions {
		program := filepath.Join(t.TempDir(), "notely-plugin-memory"+exe)
		build(t, "go", "build", "-ldflags", "-X main.version="+version, "-o", program, "../../plugins/go")
		content, err := os.ReadFile(program)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, "notely-plugin-memory_"+version+"_"+discovery.ThisPlatform().String()+".zip")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		archive := zip.NewWriter(file)
		if entry, err := archive.Create(filepath.Base(program)); err != nil {
			t.Fatal(err)
		} else if _, err := entry.Write(content); err != nil {
			t.Fatal(err)
		}
		if err := archive.Close(); err != nil {
			t.Fatal(err)
		}
		sum, err := sums.OfFile(path)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, sums.Entry{Name: filepath.Base(path), Sum: sum})
	}
	if err := os.WriteFile(filepath.Join(folder, "SHA256SUMS"), list.Format(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func build(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

func TestPluginsAreInstalledUsedUpdatedVerifiedAndRemoved(t *testing.T) {
	folder, u := t.TempDir(), terminal{t.TempDir()}
	release(t, folder, "1.0.0", "1.1.0")
	web := httptest.NewServer(http.FileServer(http.Dir(folder)))
	defer web.Close()
	platform := discovery.ThisPlatform().String()

	out := u.run(t, "plugins", "install", web.URL+"/notely-plugin-memory_1.0.0_"+platform+".zip")
	if !strings.Contains(out, "1.0.0") || !strings.Contains(out, "ok") {
		t.Errorf("installed:\n%s", out)
	}
	if out := u.run(t, "use", "memory", "an apple", "a pear", "--refuse", "pear"); !strings.Contains(out, "an apple") || strings.Contains(out, "pear") {
		t.Errorf("used:\n%s", out)
	}
	if out := u.run(t, "plugins", "search", "mem"); !strings.Contains(out, u.dir) {
		t.Errorf("searched:\n%s", out)
	}
	if out := u.run(t, "plugins", "describe", "memory"); !strings.Contains(out, "protocol 2") {
		t.Errorf("described:\n%s", out)
	}
	if out := u.run(t, "__complete", "use", ""); !strings.Contains(out, "memory\n") {
		t.Errorf("completed:\n%s", out)
	}
	if out := u.run(t, "plugins", "update", "memory", "1.1.0"); !strings.Contains(out, "1.1.0") || !strings.Contains(out, "removed") {
		t.Errorf("updated:\n%s", out)
	}
	var listed struct {
		Plugins []struct{ Name, Version, State, Path string }
	}
	if err := json.Unmarshal([]byte(u.run(t, "plugins", "list", "--json")), &listed); err != nil {
		t.Fatal(err)
	}
	if len(listed.Plugins) != 1 || listed.Plugins[0].Version != "1.1.0" || listed.Plugins[0].State != "ok" {
		t.Fatalf("listed %v", listed)
	}

	u.run(t, "plugins", "verify")
	if err := os.WriteFile(listed.Plugins[0].Path, []byte("changed"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"plugins", "verify"}, {"use", "memory"}} {
		if out, err := u.try(t, args...); err == nil {
			t.Errorf("%q took a changed plugin:\n%s", args, out)
		}
	}
	u.run(t, "plugins", "remove", "memory")
	if out := u.run(t, "plugins", "list"); out != "" {
		t.Errorf("after the removal:\n%s", out)
	}
}

func TestAPluginWithAnotherSumIsNotInstalled(t *testing.T) {
	folder, u := t.TempDir(), terminal{t.TempDir()}
	release(t, folder, "1.0.0")
	list := filepath.Join(folder, "SHA256SUMS")
	text, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.Fields(string(text))[1]
	if err := os.WriteFile(list, []byte(strings.Repeat("0", 64)+"  "+name+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := u.try(t, "plugins", "install", "--sums", list, filepath.Join(folder, name)); err == nil {
		t.Errorf("installed:\n%s", out)
	}
	if out := u.run(t, "plugins", "search"); strings.Contains(out, u.dir) {
		t.Errorf("found:\n%s", out)
	}
}

func TestThePluginInPythonDoesWhatTheApplicationExpects(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("only on Unix: an executable of Python's needs a #! line")
	}
	var python string
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		if python == "" && exec.CommandContext(t.Context(), name, "-c", "import grpc, google.protobuf").Run() == nil {
			python, _ = exec.LookPath(name)
		}
	}
	if python == "" {
		t.Skip("needs: a python3 with grpcio and protobuf")
	}
	program, u := filepath.Join(t.TempDir(), "notely-plugin-scribe"), terminal{t.TempDir()}
	build(t, python, "-m", "zipapp", "../../plugins/python", "-p", python, "-o", program)
	u.run(t, "plugins", "install", program)
	plugin, err := notelyhost.Host{Dir: u.dir, Output: t.Output()}.Open(t.Context(), "scribe")
	if err != nil {
		t.Fatal(err)
	}
	notelytest.Check(t, plugin)
	if err := plugin.Close(); err != nil {
		t.Error(err)
	}
}
