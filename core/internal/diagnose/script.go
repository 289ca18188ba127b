package diagnose

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The exit codes of a shell, and of env, for a program that is not executable
// or not found.
const (
	exitNotExecutable = 126
	exitNotFound      = 127
)

// shebang is the first line of a script.
type shebang struct {
	interpreter string   // including a "\r" at its end, as the system reads it
	args        []string // split at blanks
	crlf        bool     // the line ends with CRLF
	complete    bool     // the interpreter fits into the system's limit
}

func (c *content) isScript() bool { return bytes.HasPrefix(c.head, []byte("#!")) }

// shebang parses the first line like the system: the interpreter ends at the
// first white space, and a carriage return is not white space.
func (c *content) shebang() shebang {
	line, _, ended := bytes.Cut(c.head[len("#!"):], []byte("\n"))
	text := strings.Trim(string(line), " \t")
	interpreter, rest, spaced := strings.Cut(strings.ReplaceAll(text, "\t", " "), " ")
	return shebang{
		interpreter: interpreter,
		args:        strings.Split(strings.TrimLeft(rest, " "), " "),
		crlf:        ended && strings.HasSuffix(text, "\r"),
		complete:    ended || spaced || len(c.head) < headSize,
	}
}

// script explains why a script's interpreter does not run.
func (s suspect) script(c *content) string {
	line := c.shebang()
	if !line.complete || s.depth >= maxInterpreters {
		return ""
	}
	if strings.Trim(line.interpreter, "\r") == "" {
		return fmt.Sprintf("%q has a #! line without an interpreter: name one there", s.path)
	}
	interpreter := InDir(s.dir, line.interpreter)
	_, err := os.Stat(interpreter)
	switch {
	case os.IsNotExist(err) && strings.HasSuffix(interpreter, "\r"):
		return crlfText(s.path, strings.TrimSuffix(line.interpreter, "\r"))
	case os.IsNotExist(err):
		return fmt.Sprintf("%q is a script for the missing interpreter %q: install it, "+
			"or correct the script's first line", s.path, line.interpreter)
	}
	below := suspect{path: interpreter, dir: s.dir, failure: s.failure, depth: s.depth + 1}
	if reason := below.diagnose(); reason != "" {
		return fmt.Sprintf("the interpreter of the script %q does not run: %s", s.path, reason)
	}
	return ""
}

// scriptExit reports an interpreter that env did not find. The system saw no
// fault, since env itself runs.
func (c Command) scriptExit(script *content, code int) string {
	line := script.shebang()
	if code != exitNotFound && code != exitNotExecutable || filepath.Base(line.interpreter) != "env" {
		return ""
	}
	name := envProgram(line.args)
	if name == "" || strings.ContainsRune(name, filepath.Separator) {
		return ""
	}
	if findInPath(name, pathOf(c.Env), c.Dir) {
		return ""
	}
	if bare := strings.TrimSuffix(name, "\r"); line.crlf && bare != name {
		return crlfText(script.path, bare)
	}
	return fmt.Sprintf("%q is a script for %q, missing from the plugin's PATH: install it, "+
		"or set PATH in the plugin's environment", script.path, name)
}

func crlfText(path, interpreter string) string {
	return fmt.Sprintf("%q has Windows line ends (CRLF), so its first line names the interpreter %q: "+
		"save it with Unix line ends (LF)", path, interpreter+"\r")
}

// envProgram returns the program in the arguments of env.
func envProgram(args []string) string {
	for _, arg := range args {
		if arg != "" && !strings.HasPrefix(arg, "-") && !strings.Contains(arg, "=") {
			return arg
		}
	}
	return ""
}

// pathOf returns the search path of an environment, or the C library's default.
func pathOf(env []string) string {
	path := "/bin:/usr/bin"
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, "PATH="); ok {
			path = value
		}
	}
	return path
}

// findInPath reports whether a search path leads to a program.
func findInPath(name, path, dir string) bool {
	for _, entry := range filepath.SplitList(path) {
		info, err := os.Stat(InDir(dir, filepath.Join(entry, name)))
		if err == nil && !info.IsDir() && executableMode(info) {
			return true
		}
	}
	return false
}
