// Package diagnose says why the system does not run a program, or why one that ran
// never got to code of its own: one sentence with the cause and the remedy. It looks
// at the way to the file, the file, and its content, and says only what it has seen:
// where looking finds nothing, the sentence is empty.
package diagnose

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// maxInterpreters is how many scripts may interpret one another before looking
// ends: one less than Linux follows.
const maxInterpreters = 4

// Command is a start that failed. Path, Args, Dir and Env are those of a
// runner.Command.
type Command struct {
	Path string
	Args []string
	Dir  string
	Env  []string
	// Chrooted says that the process gets another root directory. Then the files
	// that count cannot be seen from here, and nothing is said.
	Chrooted bool
}

// Start says why a command could not be started. refusal is the system's error. It
// decides between causes that may or may not stand in the way of a start, as an
// older architecture that this machine may run too. Nil: nothing was tried yet.
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

// Exit says why a command that did start failed before it got to code of its own.
// killed says that a signal ended it; otherwise code is its exit status. The file is
// judged by its content only: it ran, and another file may be at its path since.
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

// locate finds the file that a command means, or says why there is none.
func (c Command) locate() (file, reason string) {
	if filepath.Base(c.Path) != c.Path {
		return InDir(c.Dir, c.Path), ""
	}
	file, err := exec.LookPath(c.Path)
	switch {
	case errors.Is(err, exec.ErrDot):
		return "", fmt.Sprintf("%q was found in the current directory only, and a name without a path separator "+
			"is not run from there: name it %q", c.Path, "."+string(filepath.Separator)+c.Path)
	case err != nil:
		return "", diagnoseLookup(c.Path)
	}
	return file, ""
}

// InDir is what a relative path means to a process that runs in dir.
func InDir(dir, path string) string {
	if dir == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// diagnoseDir says what is wrong with a working directory.
func diagnoseDir(dir string) string {
	if dir == "" {
		return ""
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("the working directory %q does not exist: create it, or name another", dir)
	case err == nil && !info.IsDir():
		return fmt.Sprintf("the working directory %q is not a directory: name one", dir)
	}
	return ""
}

// tooBig says how much a command wants to hand over.
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
	return fmt.Sprintf("its arguments and environment are %d bytes long, more than this system hands over "+
		"(the longest is %s, %d bytes): shorten them", total, largest, size)
}

// failure is the kind of a system's refusal to run a file, as far as it decides
// where to look.
type failure int

const (
	failureUntold  failure = iota // there is no error: look at everything
	failureMissing                // the file, or something that it needs, is not there
	failureDenied                 // not permitted
	failureFormat                 // not something that this system runs
	failureBusy                   // open for writing
	failureTooBig                 // too many arguments
	failureOther                  // anything else
)

// suspect is a file that did not run.
type suspect struct {
	path    string
	dir     string // of the process, for relative names inside the file
	failure failure
	depth   int // scripts above this file
}

// diagnose looks from the outside in: the way to the file, the file, what is in
// it. The first thing that is wrong is what the system met first.
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

// kind says that the file is of a kind that never runs.
func (s suspect) kind(info fs.FileInfo) string {
	switch mode := info.Mode(); {
	case mode.IsDir():
		return fmt.Sprintf("%q is a directory: name the program in it", s.path)
	case !mode.IsRegular():
		return fmt.Sprintf("%q is not a regular file (mode %s): name a program", s.path, mode)
	case info.Size() == 0:
		return fmt.Sprintf("%q is empty: build or install it again", s.path)
	}
	return ""
}

// mount says that nothing at all is run from where the file is.
func (s suspect) mount(fs.FileInfo) string {
	if s.failure != failureDenied && s.failure != failureUntold {
		return ""
	}
	if !isNoexec(s.path) {
		return ""
	}
	return fmt.Sprintf("%q is on a file system that is mounted noexec: move it to another, or mount that one with exec", s.path)
}

// busy says who has the file open for writing.
func (s suspect) busy(info fs.FileInfo) string {
	if s.failure != failureBusy {
		return ""
	}
	if writer := writerOf(info); writer != "" {
		return fmt.Sprintf("%q is open for writing in %s: start it once it is written and closed", s.path, writer)
	}
	return fmt.Sprintf("%q is open for writing: start it once it is written and closed", s.path)
}

// content says what is wrong with what is in the file.
func (s suspect) content(fs.FileInfo) string {
	content, err := openContent(s.path)
	if err != nil {
		return "" // what may be run need not be readable
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
