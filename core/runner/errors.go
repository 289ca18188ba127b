package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/jackfield-go/jackfield/core/internal/diagnose"
)

var (
	// ErrNotStarted is returned by methods that need a successful Start before.
	ErrNotStarted = errors.New("runner: not started")

	// ErrAlreadyStarted is returned by Start after or during another successful
	// Start: a Runner is one run.
	ErrAlreadyStarted = errors.New("runner: already started")
)

// errNoProcess is the error of a number without a process.
var errNoProcess = fmt.Errorf("no process has this number: %w", os.ErrProcessDone)

// StartError says why a plugin could not be started. Nothing of it is left running.
//
// [errors.Is] finds the system's error: [fs.ErrNotExist] (also for a program that is
// not in PATH), [fs.ErrPermission], [context.Canceled], [context.DeadlineExceeded].
type StartError struct {
	// Path is the program as the [Command] named it.
	Path string

	// Reason is one sentence with the cause and the remedy, verified by looking
	// ([Diagnose]). Empty if looking found nothing.
	Reason string

	// Err is the system's error.
	Err error
}

// Error names the program, the reason and the system's error.
func (e *StartError) Error() string {
	path := strconv.Quote(e.Path)
	switch {
	case e.Reason == "":
		return "cannot start " + path + ": " + bareText(e.Err)
	case strings.HasPrefix(e.Reason, path+" "): // it names the program
		path = ""
	default:
		path = " " + path
	}
	return "cannot start" + path + ": " + e.Reason + " (" + bareText(e.Err) + ")"
}

// Unwrap returns the system's error.
func (e *StartError) Unwrap() error { return e.Err }

// Is makes a program missing from PATH a case of [fs.ErrNotExist]; os/exec does not.
func (e *StartError) Is(target error) bool {
	return target == fs.ErrNotExist && errors.Is(e.Err, exec.ErrNotFound)
}

// Diagnose looks at a file that could not run, and returns one sentence with the
// cause and the remedy. It is empty where looking finds nothing: a sentence is never
// a guess.
//
// path is as in [Command]; a relative one is relative to the working directory of
// this process. startErr is the system's error. It decides between causes that may or
// may not prevent a start, such as an older architecture that this machine may be
// able to run too. Nil: nothing was tried yet.
func Diagnose(path string, startErr error) string {
	return diagnose.Command{Path: path}.Start(startErr)
}

// bareText returns an error's text without the standard library's operation and path,
// since a StartError has said them already.
func bareText(err error) string {
	switch e := err.(type) { //nolint:errorlint // only the outermost error is said twice
	case nil:
		return "unknown error"
	case *fs.PathError:
		if e.Op == "fork/exec" {
			return e.Err.Error()
		}
	case *exec.Error:
		return e.Err.Error()
	}
	return err.Error()
}

// contextError returns the error of an ended context, with its cause if there is one.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == nil || errors.Is(cause, err) {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}
