package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/names"
	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/render"
)

func TestPluginRepositoryPassesItsTestsBesideTheSDKAndFarFromIt(t *testing.T) {
	withModules(t)
	parent := t.TempDir()
	sdkDir := filepath.Join(parent, "acme-plugin-sdk")
	mustScaffold(t, parent, acme(append(fromModule(present), sdkDir)...)...)
	modules.publish(t, sdkDir, "v0.1.0")
	far := t.TempDir()
	run(t, sdkDir, "make", "build")
	for _, test := range []struct {
		name, dir string
		cwd       string
		args      []string
	}{
		{"slack", filepath.Join(parent, "acme-plugin-slack"), sdkDir, []string{"-lang", "go"}},
		{"pager-duty", filepath.Join(far, "acme-plugin-pager-duty"), far, []string{"-lang", "go", "-sdk", "example.com/acme/acme-plugin-sdk@v0.1.0", "-module", "example.org/pager"}},
		{"snake", filepath.Join(parent, "acme-plugin-snake"), sdkDir, []string{"-lang", "python"}},
		{"viper", filepath.Join(far, "acme-plugin-viper"), far, []string{"-lang", "python", "-sdk", "example.com/acme/acme-plugin-sdk@v0.1.0"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			mustScaffold(t, test.cwd, append([]string{"plugin", test.name}, test.args...)...)
			if out := run(t, test.dir, "git", "status", "--porcelain"); out != "" || !exists(t, filepath.Join(test.dir, ".git")) {
				t.Errorf("not committed:\n%s", out)
			}
			t.Log(run(t, test.dir, "make", "test"))
			needsPython(t, test.args[1])
			run(t, test.dir, "make", "build")
			acmeProgram := filepath.Join(sdkDir, "bin", "acme")
			installed := t.TempDir()
			run(t, test.dir, acmeProgram, "--dir", installed, "plugins", "install", filepath.Join("bin", "acme-plugin-"+test.name))
			if out := run(t, test.dir, acmeProgram, "--dir", installed, "use", test.name, "an apple"); !strings.Contains(out, "an apple") {
				t.Errorf("used, it says\n%s", out)
			}
		})
	}
	// The plugin starts from the SDK's present example.
	write(t, filepath.Join(sdkDir, "plugins", "go", "main.go"), "package main\n\nfunc main() {}\n")
	code, out := scaffold(t, sdkDir, "plugin", "other")
	if code != exitFailure || !strings.Contains(out, "does not state its plugin's name") || exists(t, filepath.Join(parent, "acme-plugin-other")) {
		t.Errorf("without a name in the example: exit code %d\n%s", code, out)
	}
}

func TestPluginRequiresTheMovedModuleOfTheSDK(t *testing.T) {
	dir := t.TempDir()
	record := render.Record{
		Template: templateModule(), Version: present, Cookie: strings.Repeat("a", 64),
		Answers: names.Answers{Module: "example.com/acme/sdk", App: "acme", Service: "Notifier"},
	}
	write(t, filepath.Join(dir, render.RecordFile), string(record.Marshal()))
	write(t, filepath.Join(dir, "go.mod"), "module example.com/acme/sdk/v2\n\ngo 1.25.0\n")
	found, err := findSDK(t.Context(), dir)
	if err != nil || found.record.Answers.Module != "example.com/acme/sdk/v2" {
		t.Fatalf("the SDK is %+v, %v", found.record, err)
	}
	if beside := (plugin{sdk: found, name: "slack"}).besideSDK(); beside != "example.com/acme/acme-plugin-slack" {
		t.Errorf("beside it is %s", beside)
	}
}

// needsPython skips the test if a plugin in Python cannot run.
func needsPython(t *testing.T, lang string) {
	t.Helper()
	if lang != "python" {
		return
	}
	for _, program := range []string{"python3", "/usr/bin/python3"} {
		if canRunPython(t, program) {
			return
		}
	}
	t.Skip("needs: a python3 with grpcio and protobuf")
}
