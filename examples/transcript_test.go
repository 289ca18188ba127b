package examples_test

import (
	"fmt"
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

// typed is a command of a transcript, with the lines printed after it.
type typed struct {
	command string
	printed []string
}

// transcript reads the indented blocks under a heading: "$ " begins a command.
func transcript(t *testing.T, document, heading string) []typed {
	t.Helper()
	var all []typed
	inside, open := false, false
	for _, line := range readLines(t, filepath.Join(root, "docs", document)) {
		if strings.HasPrefix(line, "#") {
			inside = strings.TrimLeft(line, "# ") == heading
		}
		text, indented := strings.CutPrefix(line, "    ")
		if !inside || !indented {
			continue
		}
		if command, begins := strings.CutPrefix(text, "$ "); begins {
			all = append(all, typed{command: command})
		} else if last := &all[len(all)-1]; open {
			last.command += "\n" + text
		} else {
			last.printed = append(last.printed, text)
		}
		open = strings.HasSuffix(line, `\`)
	}
	return all
}

// shellScript returns a script that runs the commands, with the output of each in a file of its
// own. A command in the background has written to $LINE when the next begins. Another one that
// serves, with the cookie in front, is ended when it has printed a line.
func shellScript(commands []typed) string {
	const until = "until [ -s %s ]; do sleep 0.01; done\n"
	text := strings.Builder{}
	text.WriteString("trap 'kill $(jobs -p) 2>/dev/null' EXIT\n")
	for i, c := range commands {
		switch background := strings.HasSuffix(c.command, "&"); {
		case background:
			fmt.Fprintf(&text, "%s\n"+until, c.command, "$LINE")
		case strings.HasPrefix(c.command, "JACKFIELD_"):
			fmt.Fprintf(&text, "%s >$OUT/%d &\n"+until+"kill %%%%; wait %%%%\n", c.command, i, fmt.Sprintf("$OUT/%d", i))
		default:
			fmt.Fprintf(&text, "{ %s\n} >$OUT/%d\n", c.command, i)
		}
	}
	return text.String() + "wait\n"
}

// These parts of lines differ from run to run: ports, process IDs and directories.
var (
	numbers     = regexp.MustCompile(`(jackfield-|/p|:)\d+`)
	directories = regexp.MustCompile(`/\S*/jackfield-`)
)

// resembles reports whether a printed line is that of the document.
func resembles(printed, documented string) bool {
	general := func(line string) string {
		return numbers.ReplaceAllString(directories.ReplaceAllString(line, "DIR/jackfield-"), "${1}N")
	}
	pattern := strings.ReplaceAll(regexp.QuoteMeta(general(documented)), "…", ".*")
	return regexp.MustCompile("^" + pattern + "$").MatchString(general(printed))
}

// The guides' transcripts of plugins run by hand are those of today's programs. Lines may come
// in another order: the plugin's log and the tool's output are two streams.
func TestTranscriptsOfTheGuidesAreTrue(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("only where the guides' commands run")
	}
	needRepository(t)
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("needs: bash on the PATH")
	}
	path := filepath.Dir(pinned(t, "buf"))
	kv, greeter := buildExample(t, "./grpc/plugin-go-grpc"), buildExample(t, "./basic/plugin")
	for _, test := range []struct{ document, heading, folder string }{
		{"other-languages.md", "Trying it by hand", "python"},
		{"plugin-authors.md", "Looking in with a tool", ""},
		{"plugin-authors.md", "Running it by hand", ""},
	} {
		t.Run(test.heading, func(t *testing.T) {
			cleanEnvironment(t)
			t.Setenv("GOWORK", "off")
			t.Setenv("BUF_CACHE_DIR", t.TempDir())
			t.Setenv("PATH", path+string(os.PathListSeparator)+os.Getenv("PATH"))
			folder := test.folder
			if folder == "python" {
				languages["python"].setInterpreter(t)
			} else {
				folder = t.TempDir()
				symlink(t, kv, filepath.Join(folder, "kv-plugin"))
				symlink(t, greeter, filepath.Join(folder, "greeter-plugin"))
			}
			followTranscript(t, folder, transcript(t, test.document, test.heading))
		})
	}
}

func symlink(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Symlink(from, to); err != nil {
		t.Fatal(err)
	}
}

// followTranscript runs the commands and compares their output.
func followTranscript(t *testing.T, folder string, commands []typed) {
	t.Helper()
	out := t.TempDir()
	t.Setenv("OUT", out)
	cmd := exec.CommandContext(t.Context(), "bash", "-c", shellScript(commands))
	cmd.Dir, cmd.WaitDelay = folder, patience
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	var stderr strings.Builder
	cmd.Stderr = &stderr
	timer := time.AfterFunc(3*patience, func() { _ = cmd.Cancel() })
	defer timer.Stop()
	if err := cmd.Run(); err != nil {
		t.Logf("the script: %v\n%s", err, &stderr)
	}
	logged := strings.Split(stderr.String(), "\n")
	for i, c := range commands {
		text, _ := os.ReadFile(filepath.Join(out, fmt.Sprint(i))) // none of a command in the background
		printed := slices.Collect(strings.SplitSeq(strings.TrimSuffix(string(text), "\n"), "\n"))
		for _, documented := range c.printed {
			same := func(line string) bool { return resembles(line, documented) }
			if at := slices.IndexFunc(printed, same); at >= 0 {
				printed = slices.Delete(printed, at, at+1)
			} else if !slices.ContainsFunc(logged, same) {
				t.Errorf("%s\ndoes not print %q", c.command, documented)
			}
		}
		if rest := strings.TrimSpace(strings.Join(printed, "\n")); rest != "" {
			t.Errorf("%s\nprints beside it:\n%s", c.command, rest)
		}
	}
	if t.Failed() {
		t.Logf("on stderr:\n%s", &stderr)
	}
}
