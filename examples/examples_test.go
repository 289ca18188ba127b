// Package examples_test runs every example as a reader would, and compares the
// code in the documents with the examples.
package examples_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// patience is the time limit for one example's host.
const patience = 20 * time.Second

func TestExamplesPrintTheExpectedOutput(t *testing.T) {
	hosts, err := filepath.Glob("*/host")
	if err != nil || len(hosts) == 0 {
		t.Fatalf("no host program found: %v", err)
	}
	bin := t.TempDir()
	build(t, bin)
	for _, host := range hosts {
		example := filepath.Dir(host)
		t.Run(example, func(t *testing.T) {
			plugins, err := filepath.Glob(filepath.Join(bin, example+"-plugin*"))
			if err != nil || len(plugins) == 0 {
				t.Fatalf("no plugin program found: %v", err)
			}
			printed := runHost(t, filepath.Join(bin, example+"-host"+exeSuffix()), plugins...)
			compareGolden(t, filepath.Join("testdata", example+".golden"), normalise(printed))
			if strings.Contains(printed, "called back") {
				checkCallbacks(t, printed)
			}
		})
	}
}

// build builds all main packages. Their names include the folder: basic-host.
func build(t *testing.T, bin string) {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-f", `{{if eq .Name "main"}}{{.Dir}}{{end}}`, "./...")
	folders, err := list.Output()
	if err != nil {
		t.Fatalf("list the programs: %v", err)
	}
	for folder := range strings.FieldsSeq(string(folders)) {
		name := filepath.Base(filepath.Dir(folder)) + "-" + filepath.Base(folder)
		cmd := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(bin, name+exeSuffix()), ".")
		cmd.Dir = folder
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", folder, err, out)
		}
	}
}

func exeSuffix() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}

// runHost runs a host with the plugins and returns its output.
func runHost(t *testing.T, host string, plugins ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, host, plugins...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("the host: %v\n%s%s", err, &stdout, &stderr)
	}
	if stderr.Len() > 0 {
		t.Errorf("the host printed on stderr:\n%s", &stderr)
	}
	return stdout.String()
}

var (
	process    = regexp.MustCompile(`(host|process) \d+`)
	executable = regexp.MustCompile(`(-plugin[\w-]*)\.exe\b`)
)

// normalise removes process IDs and sorts lines of variable order to the end: a
// plugin's log and prints arrive on separate channels.
func normalise(printed string) []string {
	var own, plugins []string
	for line := range strings.Lines(executable.ReplaceAllString(printed, "$1")) {
		line = process.ReplaceAllString(strings.TrimRight(line, "\r\n"), "$1 N")
		if strings.HasPrefix(line, "level=") || strings.HasPrefix(line, "a plugin may print") || strings.HasPrefix(line, "printed: ") {
			plugins = append(plugins, line)
			continue
		}
		own = append(own, line)
	}
	slices.Sort(plugins)
	return append(own, plugins...)
}

func compareGolden(t *testing.T, file string, lines []string) {
	t.Helper()
	got := strings.Join(lines, "\n") + "\n"
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != strings.ReplaceAll(string(want), "\r\n", "\n") {
		t.Errorf("got:\n%s\nwant (%s; -update writes it anew):\n%s", got, file, want)
	}
}

// checkCallbacks checks that the callbacks ran in the host's process, not in the plugin's.
func checkCallbacks(t *testing.T, printed string) {
	t.Helper()
	parties := regexp.MustCompile(`the host is process (\d+), the plugin process (\d+)`).FindStringSubmatch(printed)
	callbacks := regexp.MustCompile(`called back in process (\d+)`).FindAllStringSubmatch(printed, -1)
	if parties == nil || parties[1] == parties[2] || len(callbacks) != 2 {
		t.Fatalf("two processes and two callbacks are expected:\n%s", printed)
	}
	for _, callback := range callbacks {
		if callback[1] != parties[1] {
			t.Errorf("a callback ran in process %s, and the host is %s", callback[1], parties[1])
		}
	}
}
