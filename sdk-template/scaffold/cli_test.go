package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/render"
)

// scaffold runs the program in a folder, and returns the exit code and all output.
func scaffold(t *testing.T, dir string, args ...string) (int, string) {
	t.Helper()
	return scaffoldWith(t, &cli{in: strings.NewReader("")}, dir, args...)
}

func scaffoldWith(t *testing.T, c *cli, dir string, args ...string) (int, string) {
	t.Helper()
	t.Chdir(dir)
	var out bytes.Buffer
	c.out, c.err = &out, &out
	code := c.run(t.Context(), args)
	return code, out.String()
}

// mustScaffold is scaffold for a run that must succeed.
func mustScaffold(t *testing.T, dir string, args ...string) string {
	t.Helper()
	code, out := scaffold(t, dir, args...)
	if code != exitOK {
		t.Fatalf("scaffold %v: exit code %d\n%s", args, code, out)
	}
	return out
}

// run runs another program; it must succeed.
func run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

// fromModule returns the flags for the present template as a module.
func fromModule(version string) []string {
	return []string{"-template", templateModule() + "@" + version}
}

func acme(args ...string) []string {
	return append([]string{"-module", "example.com/acme/acme-plugin-sdk", "-app", "acme", "-service", "Notifier"}, args...)
}

// entries lists a folder.
func entries(t *testing.T, dir string) string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range list {
		names = append(names, entry.Name())
	}
	return strings.Join(names, " ")
}

func TestCommandLineErrorsNameTheMistakeAndLeaveNothingBehind(t *testing.T) {
	withModules(t)
	for _, test := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"nothing at all", []string{"new"}, exitUsage, "missing: -module, -app, -service"},
		{"an unknown command", []string{"updat"}, exitUsage, `unknown command "updat"`},
		{"an unknown flag", []string{"-modul", "x"}, exitUsage, "flag provided but not defined"},
		{"two folders", acme("a", "b"), exitUsage, `unexpected argument "b"`},
		{"no module path", []string{"-module", "Hello World", "-app", "acme", "-service", "Notifier", "x"}, exitUsage, "malformed module path"},
		{"a module path for a later version", []string{"-module", "example.com/x/v2", "-app", "acme", "-service", "Notifier", "x"}, exitUsage, "does not end in /v2"},
		{"an app with a dash", []string{"-module", "example.com/x", "-app", "ac-me", "-service", "Notifier", "x"}, exitUsage, "lower-case letters and digits"},
		{"a service in small letters", []string{"-module", "example.com/x", "-app", "acme", "-service", "notifier", "x"}, exitUsage, "a capital letter first"},
		{"a keyword of Go", []string{"-module", "example.com/x", "-app", "acme", "-service", "Select", "x"}, exitUsage, "select is a keyword of Go"},
		{"a keyword of Python", []string{"-module", "example.com/x", "-app", "async", "-service", "Notifier", "x"}, exitUsage, "async is a keyword of Python"},
		{"a word of the SDK", acme(append(fromModule(present), "-service", "Item", "x")...), exitFailure, "a word that the template uses itself"},
		{"a service of the protocol", acme(append(fromModule(present), "-service", "Approver", "x")...), exitFailure, "NoteStoreServiceClient would become ApproverServiceClient"},
		{"an app like a package imported by the SDK", acme(append(fromModule(present), "-app", "host", "x")...), exitFailure, "a word that the template uses itself"},
		{"a service that makes a Go file platform-specific", acme(append(fromModule(present), "-service", "StoreLinux", "x")...), exitFailure, "does not build that file on each platform"},
		{"an invalid version", acme("-jackfield", "1.0", "-template", "..", "x"), exitUsage, "-jackfield 1.0"},
		{"a missing template", acme("-template", templateModule()+"@v0.7.0", "x"), exitFailure, "v0.7.0"},
		{"another folder as template", acme("-template", ".", "x"), exitFailure, "not a template of plugin SDKs"},
		{"a plugin without name", []string{"plugin"}, exitUsage, "needs a name"},
		{"a plugin in Perl", []string{"plugin", "-lang", "perl", "x"}, exitUsage, "choose go or python"},
		{"a plugin with a space", []string{"plugin", "a b"}, exitUsage, "up to 40 lower-case letters"},
		{"a plugin for no SDK", []string{"plugin", "slack"}, exitFailure, "not an SDK from the template"},
		{"an update outside of git", []string{"update"}, exitFailure, "an update needs a git repository"},
		{"generated code of nothing", []string{"generate"}, exitFailure, "the scaffolder did not make this repository"},
		{"a renaming of nothing", []string{"rename"}, exitFailure, "no go.mod"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			code, out := scaffold(t, dir, test.args...)
			if code != test.code || !strings.Contains(out, test.want) {
				t.Errorf("exit code %d, output:\n%s\nwant %d and %q", code, out, test.code, test.want)
			}
			if left := entries(t, dir); left != "" {
				t.Errorf("it left %s", left)
			}
		})
	}
}

func TestNewRefusesAFolderWithFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	code, out := scaffold(t, dir, acme(".")...)
	if code != exitFailure || !strings.Contains(out, "is not empty") || entries(t, dir) != "mine" {
		t.Errorf("exit code %d, output %s, the folder holds %s", code, out, entries(t, dir))
	}
}

func TestNewRefusesADanglingLinkAndKeepsIt(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("nowhere", filepath.Join(dir, "link")); err != nil {
		t.Skip("needs: symbolic links: ", err)
	}
	code, out := scaffold(t, dir, acme("link")...)
	if code != exitFailure || !strings.Contains(out, "link to a missing folder") || entries(t, dir) != "link" {
		t.Errorf("exit code %d, output %s, the folder holds %s", code, out, entries(t, dir))
	}
}

func TestNewKeepsFilesThatAppearMeanwhile(t *testing.T) {
	dir := t.TempDir()
	place, err := claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err = place.fill(func() error { return errors.New("it was filled") })
	if err == nil || !strings.Contains(err.Error(), "is not empty") || entries(t, dir) != "mine" {
		t.Errorf("%v, the folder holds %s", err, entries(t, dir))
	}
}

func TestNewRemovesItsFilesAfterAFailure(t *testing.T) {
	withModules(t)
	template, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	// Everything exists except the versions required by go.mod. So go mod tidy fails, after
	// the files and the code are written.
	args := acme("-template", template, "-jackfield", "v0.7.0")
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"a/b/c", "empty"} {
		code, out := scaffold(t, dir, append(args, target)...)
		if code != exitFailure || !strings.Contains(out, "go mod tidy") || !strings.Contains(out, "v0.7.0") {
			t.Errorf("%s: exit code %d, output %s", target, code, out)
		}
	}
	if entries(t, dir) != "empty" || entries(t, filepath.Join(dir, "empty")) != "" {
		t.Errorf("it left %s, and %s in the folder that was there", entries(t, dir), entries(t, filepath.Join(dir, "empty")))
	}
}

func TestNewRemovesItsFilesAfterAnInterruption(t *testing.T) {
	withModules(t)
	dir := t.TempDir()
	t.Chdir(dir)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := writer(func(line string) {
		if strings.HasPrefix(line, "making") {
			cancel()
		}
	})
	c := &cli{in: strings.NewReader(""), out: out, err: out}
	if code := c.run(ctx, acme(append(fromModule(present), "x")...)); code != exitFailure {
		t.Errorf("exit code %d", code)
	}
	if left := entries(t, dir); left != "" {
		t.Errorf("it left %s", left)
	}
}

// writer calls itself for each write.
type writer func(string)

func (w writer) Write(data []byte) (int, error) {
	w(string(data))
	return len(data), nil
}

func TestNewFromAFolderAsksForAVersion(t *testing.T) {
	template, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOPROXY", "off")
	dir := t.TempDir()
	code, out := scaffold(t, dir, acme("-template", template, "x")...)
	if code != exitFailure || !strings.Contains(out, "-jackfield v0.1.0") || !strings.Contains(out, "make release") || entries(t, dir) != "" {
		t.Errorf("exit code %d, output:\n%s", code, out)
	}
}

func TestNewAsksForMissingFlagsInATerminal(t *testing.T) {
	withModules(t)
	dir := t.TempDir()
	answers := "not a module\nexample.com/acme/acme-plugin-sdk\nAcme\nacme\n\nNotifier\n"
	c := &cli{in: strings.NewReader(answers), terminal: true}
	code, out := scaffoldWith(t, c, dir, fromModule(present)...)
	if code != exitOK || !strings.Contains(out, "malformed module path") || !strings.Contains(out, `app "Acme"`) {
		t.Fatalf("exit code %d, output:\n%s", code, out)
	}
	record, err := render.ReadRecord(filepath.Join(dir, "acme-plugin-sdk"))
	if err != nil || record.Answers.App != "acme" || record.Answers.Service != "Notifier" {
		t.Errorf("the record is %+v, %v", record, err)
	}
	c = &cli{in: strings.NewReader(""), terminal: true}
	if code, out := scaffoldWith(t, c, dir, "new"); code != exitUsage || !strings.Contains(out, "no answer for -module") {
		t.Errorf("at the end of the input: exit code %d, output:\n%s", code, out)
	}
}

func TestHelpNamesEachCommandAndItsFlags(t *testing.T) {
	_, out := scaffold(t, t.TempDir(), "help")
	for _, command := range commands() {
		if !strings.Contains(out, command.name) || !strings.Contains(out, command.short) {
			t.Errorf("help does not name %s", command.name)
		}
		code, flags := scaffold(t, t.TempDir(), command.name, "-h")
		if code != exitOK || !strings.Contains(flags, command.short) {
			t.Errorf("%s -h: exit code %d, output:\n%s", command.name, code, flags)
		}
	}
}

func exists(t *testing.T, file string) bool {
	t.Helper()
	_, err := os.Lstat(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

func canRunPython(t *testing.T, program string) bool {
	t.Helper()
	return exec.CommandContext(t.Context(), program, "-c", "import grpc, google.protobuf").Run() == nil
}
