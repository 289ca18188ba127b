// Package diagnose explains why the system does not run a program, or why a program failed before
// its own code began. The result is one sentence with the cause and the remedy. It inspects the
// path, the file and its content. It reports only facts found there; if it finds none, the sentence
// is empty.
package diagnose

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// maxInterpreters limits the chain of scripts that interpret one another: one
// less than Linux's limit.
const maxInterpreters = 4

// Command is a command that failed to start. Path, Args, Dir and Env are the
// fields of a runner.Command.
type Command struct {
	Path string
	Args []string
	Dir  string
	Env  []string
	// Chrooted means that the process gets another root directory. Its files
	// are then invisible from here, and the result is empty.
	Chrooted bool
}

// Start explains why a command could not be started. refusal is the system's error. It decides
// between causes that are not always fatal, like an older architecture that this machine may also
// run. Nil: nothing was tried yet.
func (c Command) Start(refusal error) string {
	if c.Path == "" {
		return "the path of the program is empty: name the program to run"
	}
	if c.Chrooted {
		return ""
	}
	kind := failureOf(refusal)
	if kind == failureTooBig {
		return c.tooBig()
	}
	if reason := diagnoseDir(c.Dir); reason != "" {
		return reason
	}
	file, reason := c.locate()
	if reason != "" {
		return reason
	}
	s := suspect{path: file, dir: c.Dir, failure: kind}
	return s.diagnose()
}

// Exit explains why a started command failed before its own code began. killed means that a signal
// ended it; otherwise code is its exit status. Exit only inspects the file's content: the file
// could run, and the path may hold another file now.
func (c Command) Exit(code int, killed bool) string {
	if c.Chrooted || code == 0 && !killed {
		return ""
	}
	file, reason := c.locate()
	if reason != "" {
		return ""
	}
	content, err := openContent(file)
	if err != nil {
		return ""
	}
	defer content.Close()
	switch {
	case content.isScript():
		return c.scriptExit(content, code)
	case killed:
		img, ok := content.image()
		switch {
		case ok && img.isForeign():
			return img.elsewhere(true)
		case ok:
			return img.unfit(file)
		}
	}
	return ""
}

// locate returns the file of a command, or the reason why there is none.
func (c Command) locate() (file, reason string) {
	if filepath.Base(c.Path) != c.Path {
		return InDir(c.Dir, c.Path), ""
	}
	file, err := exec.LookPath(c.Path)
	switch {
	case errors.Is(err, exec.ErrDot):
		return "", fmt.Sprintf("%q was found in the current directory only, where a name without a path separator "+
			"is not run from there: name it %q", c.Path, "."+string(filepath.Separator)+c.Path)
	case err != nil:
		return "", diagnoseLookup(c.Path)
	}
	return file, ""
}

// InDir resolves a relative path for a process with the working directory dir.
func InDir(dir, path string) string {
	if dir == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// diagnoseDir returns the fault of a working directory, or "".
func diagnoseDir(dir string) string {
	if dir == "" {
		return ""
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("the working directory %q does not exist: create it, or name another directory", dir)
	case err == nil && !info.IsDir():
		return fmt.Sprintf("the working directory %q is not a directory: name a directory", dir)
	}
	return ""
}

// tooBig reports the size of a command's arguments and environment.
func (c Command) tooBig() string {
	total, largest, size := len(c.Path), "", 0
	count := func(name, value string) {
		total += len(value)
		if len(value) > size {
			largest, size = name, len(value)
		}
	}
	for i, arg := range c.Args {
		count(fmt.Sprintf("argument %d", i+1), arg)
	}
	for _, entry := range c.Env {
		count("variable "+envKey(entry), entry)
	}
	return fmt.Sprintf("its arguments and environment have %d bytes, more than this system passes on "+
		"(the longest is %s, %d bytes): shorten them", total, largest, size)
}

// failure is the kind of the system's error, as far as it guides the
// inspection.
type failure int

const (
	failureUntold  failure = iota // there is no error: inspect everything
	failureMissing                // the file, or a file it needs, is missing
	failureDenied                 // not permitted
	failureFormat                 // not a format of this system
	failureBusy                   // open for writing
	failureTooBig                 // too many arguments
	failureOther                  // any other error
)

// suspect is a file after a failed start.
type suspect struct {
	path    string
	dir     string // of the process, for relative names inside the file
	failure failure
	depth   int // scripts above this file
}

// diagnose inspects from the outside in: the path, the file, its content. The
// first fault it finds is also the first for the system.
func (s suspect) diagnose() string {
	info, err := os.Stat(s.path)
	if err != nil {
		return diagnoseStat(s.path, err)
	}
	for _, look := range []func(fs.FileInfo) string{s.kind, s.permission, s.mount, s.busy, s.content} {
		if reason := look(info); reason != "" {
			return reason
		}
	}
	return ""
}

// kind reports a file of a kind that never runs.
func (s suspect) kind(info fs.FileInfo) string {
	switch mode := info.Mode(); {
	case mode.IsDir():
		return fmt.Sprintf("%q is a directory: name the program in it", s.path)
	case !mode.IsRegular():
		return fmt.Sprintf("%q is not a regular file (mode %s): name a program file", s.path, mode)
	case info.Size() == 0:
		return fmt.Sprintf("%q is empty: build or install it again", s.path)
	}
	return ""
}

// mount reports a file system that runs no programs.
func (s suspect) mount(fs.FileInfo) string {
	if s.failure != failureDenied && s.failure != failureUntold {
		return ""
	}
	if !isNoexec(s.path) {
		return ""
	}
	return fmt.Sprintf("%q is on a file system mounted noexec: move it to another file system, or mount this one with exec", s.path)
}

// busy names the process writing to the file.
func (s suspect) busy(info fs.FileInfo) string {
	if s.failure != failureBusy {
		return ""
	}
	if writer := writerOf(info); writer != "" {
		return fmt.Sprintf("%q is open for writing in %s: start it once it is written and closed", s.path, writer)
	}
	return fmt.Sprintf("%q is open for writing: start it once it is written and closed", s.path)
}

// content reports a fault in the file's content.
func (s suspect) content(fs.FileInfo) string {
	content, err := openContent(s.path)
	if err != nil {
		return "" // an executable file need not be readable
	}
	defer content.Close()
	if content.isScript() {
		return s.script(content)
	}
	if img, ok := content.image(); ok {
		return s.binary(img)
	}
	if s.failure != failureFormat && s.failure != failureUntold {
		return ""
	}
	return content.foreign()
}
