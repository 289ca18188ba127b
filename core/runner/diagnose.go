package runner

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// maxInterpreters is how many scripts may interpret one another before looking
// ends: one less than what Linux follows.
const maxInterpreters = 4

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

// Diagnose looks at a file that could not be run and returns one sentence that
// says why, and what to do. It is empty where looking finds nothing: a sentence
// is never a guess.
//
// path is as in [Command]; a relative one is relative to the working directory
// of this process. startErr is what the system said; it decides between things
// that may or may not stand in the way of a start (an older architecture that
// this machine may be able to run too). Nil means that nothing was tried yet.
func Diagnose(path string, startErr error) string {
	return diagnoseStart(Command{Path: path}, startErr)
}

// diagnoseStart says why a command could not be started.
func diagnoseStart(cmd Command, startErr error) string {
	if cmd.Path == "" {
		return "the path of the program is empty: name the program to run"
	}
	if isChrooted(cmd.SysProcAttr) {
		return "" // the files that count are not those to be seen from here
	}
	kind := failureOf(startErr)
	if kind == failureTooBig {
		return tooBig(cmd)
	}
	if reason := diagnoseDir(cmd.Dir); reason != "" {
		return reason
	}
	file, reason := locate(cmd)
	if reason != "" {
		return reason
	}
	s := suspect{path: file, dir: cmd.Dir, failure: kind}
	return s.diagnose()
}

// diagnoseExit says why a command that did start ended without getting to code
// of its own. The file is judged by its content only: it ran, and what stands
// at its path may have been replaced since.
func diagnoseExit(cmd Command, exit Exit) string {
	if exit.Success() || isChrooted(cmd.SysProcAttr) {
		return ""
	}
	file, reason := locate(cmd)
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
		return diagnoseScriptExit(content, cmd, exit)
	case exit.Signal != nil:
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
func locate(cmd Command) (file, reason string) {
	if filepath.Base(cmd.Path) != cmd.Path {
		return inDir(cmd.Dir, cmd.Path), ""
	}
	file, err := exec.LookPath(cmd.Path)
	switch {
	case errors.Is(err, exec.ErrDot):
		return "", fmt.Sprintf("%q was found in the current directory only, and a name without a path separator "+
			"is not run from there: name it %q", cmd.Path, "."+string(filepath.Separator)+cmd.Path)
	case err != nil:
		return "", diagnoseLookup(cmd.Path)
	}
	return file, ""
}

// inDir is what a relative path means to a process that runs in dir.
func inDir(dir, path string) string {
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
func tooBig(cmd Command) string {
	total, largest, size := len(cmd.Path), "", 0
	count := func(name, value string) {
		total += len(value)
		if len(value) > size {
			largest, size = name, len(value)
		}
	}
	for i, arg := range cmd.Args {
		count(fmt.Sprintf("argument %d", i+1), arg)
	}
	for _, entry := range cmd.Env {
		count("variable "+envKey(entry), entry)
	}
	return fmt.Sprintf("its arguments and environment are %d bytes long, more than this system hands over "+
		"(the longest is %s, %d bytes): shorten them", total, largest, size)
}

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
