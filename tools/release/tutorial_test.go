package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	modulepath "golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// differs matches the variable parts of a command's output.
var differs = []struct {
	pattern *regexp.Regexp
	text    string
}{
	{regexp.MustCompile(`(?m)^go: (downloading|finding|added|upgraded|creating|to add|\t).*\n`), ""},
	{regexp.MustCompile(`(?m)^(time|make\[\d\]).*\n`), ""},
	{regexp.MustCompile(`\b\d+(\.\d+)?(ms|s)\b`), "0.1s"},
	{regexp.MustCompile(`\t?\(cached\)`), "0.1s"},
	{regexp.MustCompile(`\b[0-9a-f]{7,64}\b`), "0123456"},
	{regexp.MustCompile(`[ \t]+`), " "},
	{regexp.MustCompile(`(?m) +$`), ""},
}

// followCommand is follow PAGE: it runs the commands of a page's console blocks and
// compares their output with the page. The commands run one after the other in one shell's
// folder. A line "..." in the page stands for any lines.
func followCommand(ts *testscript.TestScript, _ bool, args []string) {
	page := filepath.Join(ts.Getenv("RELEASED"), filepath.FromSlash(args[0]))
	text, err := os.ReadFile(page)
	ts.Check(err)
	folder, steps := ts.MkAbs("."), consoleSteps(string(text))
	if len(steps) == 0 {
		ts.Fatalf("%s has no console block", args[0])
	}
	for _, step := range steps {
		var output string
		output, folder, err = runStep(ts, folder, step.command)
		ts.Logf("$ %s\n%s", step.command, output)
		if err != nil {
			ts.Fatalf("%s: %s: %v", args[0], step.command, err)
		}
		if have, want := normalise(ts, output), normalise(ts, step.output); !matches(have, want) {
			ts.Fatalf("%s: %s prints\n%s\nand the page shows\n%s", args[0], step.command, have, want)
		}
	}
}

type consoleStep struct{ command, output string }

// consoleSteps reads the commands and their output. A command follows "$ " and continues
// after a backslash.
func consoleSteps(page string) []consoleStep {
	var steps []consoleStep
	for _, block := range strings.Split(page, "\n```console\n")[1:] {
		block, _, _ = strings.Cut(block, "\n```")
		open := false
		for line := range strings.SplitSeq(block, "\n") {
			command, isCommand := strings.CutPrefix(line, "$ ")
			switch {
			case isCommand:
				steps = append(steps, consoleStep{command: command})
			case open:
				steps[len(steps)-1].command += "\n" + line
			default:
				steps[len(steps)-1].output += line + "\n"
			}
			open = (isCommand || open) && strings.HasSuffix(line, `\`)
		}
	}
	return steps
}

// runStep runs one command, and returns its output and the shell's folder afterwards.
func runStep(ts *testscript.TestScript, folder, command string) (output, after string, err error) {
	where := ts.MkAbs(filepath.Join(ts.Getenv("WORK"), ".folder"))
	script := fmt.Sprintf("%s\ncode=$?\npwd >%q\nexit $code\n", command, where)
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = folder
	cmd.Env = os.Environ()
	for _, name := range []string{
		"HOME", "PATH", "TMPDIR", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GONOSUMDB", "GOFLAGS", "GOWORK", "GIT_CONFIG_NOSYSTEM",
	} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	printed, err := cmd.CombinedOutput()
	if err != nil {
		return string(printed), folder, err
	}
	folderNow, err := os.ReadFile(where)
	return string(printed), strings.TrimSpace(string(folderNow)), err
}

func normalise(ts *testscript.TestScript, text string) string {
	text = strings.ReplaceAll(text, ts.Getenv("WORK"), "~")
	text = strings.ReplaceAll(text, ts.Getenv("VERSION"), "v0.1.0")
	text = strings.ReplaceAll(text, strings.TrimPrefix(ts.Getenv("VERSION"), "v"), "0.1.0")
	for _, d := range differs {
		text = d.pattern.ReplaceAllString(text, d.text)
	}
	return strings.TrimSpace(text)
}

// matches reports whether a command's output equals the page's.
func matches(output, page string) bool {
	pattern := "^"
	for line := range strings.SplitSeq(page, "\n") {
		if line == "..." {
			pattern += `(.*\n)*`
			continue
		}
		pattern += regexp.QuoteMeta(line) + "\n"
	}
	return regexp.MustCompile(pattern + "$").MatchString(output + "\n")
}

// newerCommand is newer FILE TEXT: it adds a version of the template and its scaffolder to
// the proxy, and sets NEWER to that version. The new template has TEXT at the end of FILE.
func newerCommand(ts *testscript.TestScript, _ bool, args []string) {
	version := ts.Getenv("VERSION") + ".1"
	const template = "github.com/jackfield-go/jackfield/sdk-template"
	for _, name := range []string{template, template + "/scaffold"} {
		folder := filepath.Join(ts.Getenv("RELEASED"), "bin", "release", "proxy", filepath.FromSlash(name))
		old := filepath.Join(folder, "@v", ts.Getenv("VERSION"))
		files := ts.MkAbs(filepath.Join(ts.Getenv("WORK"), ".newer", filepath.Base(folder)))
		ts.Check(zip.Unzip(files, modulepath.Version{Path: name, Version: ts.Getenv("VERSION")}, old+".zip"))
		if file := filepath.Join(files, args[0]); name == template {
			text, err := os.ReadFile(file)
			ts.Check(err)
			ts.Check(os.WriteFile(file, append(text, args[1]+"\n"...), 0o644))
		}
		out, err := os.Create(filepath.Join(folder, "@v", version+".zip"))
		ts.Check(err)
		ts.Check(errors.Join(zip.CreateFromDir(out, modulepath.Version{Path: name, Version: version}, files), out.Close()))
		mod, err := os.ReadFile(old + ".mod")
		ts.Check(err)
		ts.Check(os.WriteFile(filepath.Join(folder, "@v", version+".mod"), mod, 0o644))
		ts.Check(os.WriteFile(filepath.Join(folder, "@v", version+".info"), fmt.Appendf(nil, `{"Version": %q}`, version), 0o644))
	}
	ts.Setenv("NEWER", version)
}
