package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/sums"

	"github.com/jackfield-go/jackfield/sdk-template/notelyhost"
	"github.com/jackfield-go/jackfield/sdk-template/notelytest"
)

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// release builds the plugin in Go, with a wrong sum for version 6.6.6, and returns its name.
func release(t *testing.T, folder, version string) string {
	t.Helper()
	name := fmt.Sprintf("notely-plugin-memory_v%s_%s", version, discovery.ThisPlatform())
	command(t, "go", "build", "-ldflags", "-X main.version="+version, "-o", filepath.Join(folder, name), "../../plugins/go")
	sum, err := sums.OfFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	if version == "6.6.6" {
		sum[0]++
	}
	list := sums.List{{Name: name, Sum: sum}}.Format()
	if err := os.WriteFile(filepath.Join(folder, name+".sha256"), list, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestCommandsInstallUseUpdateVerifyAndRemovePlugins(t *testing.T) {
	folder, dir := t.TempDir(), t.TempDir()
	web := httptest.NewServer(http.FileServer(http.Dir(folder)))
	defer web.Close()
	first := web.URL + "/" + release(t, folder, "1.0.0")
	release(t, folder, "1.1.0")
	release(t, folder, "6.6.6")
	var out strings.Builder
	for _, step := range []struct{ command, want, not string }{
		{"plugins list", "", "memory"},
		{"plugins install " + first, "1.0.0", ""},
		{"use memory apple pear --refuse pear", "apple", "pear"},
		{"use memory apple --json", `"text": "apple"`, "TEXT"},
		{"plugins search mem", dir, ""},
		{"plugins describe memory", "[1 2]", ""},
		{"__complete use m", "memory\n", ""},
		{"plugins update memory 1.1.0", "removed", ""},
		{"plugins update memory 6.6.6", "error", "6.6.6"},
		{"plugins verify", "1.1.0", "1.0.0"},
		{"plugins dance", "error", ""},
		{"plugins list --json", `"version": "1.1.0"`, "1.0.0"},
	} {
		out.Reset()
		err := run(t.Context(), append([]string{"--dir", dir}, strings.Fields(step.command)...), &out, t.Output())
		if (err != nil) != (step.want == "error") {
			t.Errorf("%s: %v", step.command, err)
		} else if err == nil && !strings.Contains(out.String(), step.want) || step.not != "" && strings.Contains(out.String(), step.not) {
			t.Errorf("%s printed\n%s", step.command, &out)
		}
	}

	// Neither the file nor the plugin in it states its version.
	plain, own := filepath.Join(folder, "notely-plugin-memory"), []string{"--dir", t.TempDir(), "plugins"}
	command(t, "go", "build", "-ldflags", "-X main.version=", "-o", plain, "../../plugins/go")
	installed := run(t.Context(), append(own, "install", plain), t.Output(), t.Output())
	updated := run(t.Context(), append(own, "update", "memory", "1.1.0"), t.Output(), t.Output())
	if installed != nil || !strings.Contains(fmt.Sprint(updated), "names no version") {
		t.Error(installed, updated)
	}

	var listed struct{ Plugins []struct{ Path string } }
	if err := json.Unmarshal([]byte(out.String()), &listed); err != nil || len(listed.Plugins) != 1 {
		t.Fatal(err, &out)
	}
	if err := os.WriteFile(listed.Plugins[0].Path, []byte("changed"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"plugins verify", "use memory", "plugins remove memory", "use memory"} {
		err := run(t.Context(), append([]string{"--dir", dir}, strings.Fields(command)...), &out, t.Output())
		if (err == nil) != (command == "plugins remove memory") {
			t.Errorf("%s with a changed plugin: %v", command, err)
		}
	}
}

func TestPythonPluginMeetsTheApplicationsExpectations(t *testing.T) {
	find := `for p in python3 /usr/bin/python3; do $p -c 'import grpc, google.protobuf' && command -v $p && exit; done; exit 1`
	out, err := exec.CommandContext(t.Context(), "sh", "-c", find).Output()
	if err != nil {
		t.Skip("needs: Unix, and a python3 with grpcio and protobuf")
	}
	python := strings.TrimSpace(string(out))
	program, dir := filepath.Join(t.TempDir(), "notely-plugin-scribe"), t.TempDir()
	command(t, python, "-m", "zipapp", "../../plugins/python", "-p", python, "-o", program)
	if err := run(t.Context(), []string{"plugins", "install", program, "--dir", dir}, t.Output(), t.Output()); err != nil {
		t.Fatal(err)
	}
	plugin, err := notelyhost.Host{Dir: dir, Output: t.Output()}.Open(t.Context(), "scribe")
	if err != nil {
		t.Fatal(err)
	}
	notelytest.Check(t, plugin)
	if err := plugin.Close(); err != nil {
		t.Error(err)
	}
}
