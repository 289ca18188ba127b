package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strconv"

	"github.com/jackfield-go/jackfield/core/internal/diagnose"
)

var (
	// ErrNotStarted is what a method reports that needs a successful Start
	// before it.
	ErrNotStarted = errors.New("runner: not started")

	// ErrAlreadyStarted is what Start reports when it has succeeded before, or
	// is under way: a Runner is one run.
	ErrAlreadyStarted = errors.New("runner: already started")
)

// StartError says that a plugin could not be brought to run, and why. Nothing
// of it is left running.
//
// What the system said is reached with [errors.Is]: [fs.ErrNotExist] (also for
// a program that is not in PATH), [fs.ErrPermission], [context.Canceled],
// [context.DeadlineExceeded].
type StartError struct {
	// Path is the program as the [Command] named it.
	Path string

	// Reason is one sentence that says what is wrong and what to do, verified
	// by looking ([Diagnose]). Empty if looking found nothing.
	Reason string

	// Err is what the system said.
	Err error
}

// Error says what was started, why that failed, and what the system said.
func (e *StartError) Error() string {
	text := "cannot start " + strconv.Quote(e.Path) + ": "
	if e.Reason == "" {
		return text + bareText(e.Err)
	}
	return text + e.Reason + " (" + bareText(e.Err) + ")"
}

// Unwrap returns what the system said.
func (e *StartError) Unwrap() error { return e.Err }

// Is makes a program that is not in PATH a case of [fs.ErrNotExist], which
// os/exec does not.
func (e *StartError) Is(target error) bool {
	return target == fs.ErrNotExist && errors.Is(e.Err, exec.ErrNotFound)
}

// Diagnose looks at a file that could not be run and returns one sentence with the
// cause and the remedy. It is empty where looking finds nothing: a sentence is
// never a guess.
//
// path is as in [Command]; a relative one is relative to the working directory
// of this process. startErr is the system's error; it decides between causes
// that may or may not stand in the way of a start (an older architecture that
// this machine may be able to run too). Nil means that nothing was tried yet.
func Diagnose(path string, startErr error) string {
	return diagnose.Command{Path: path}.Start(startErr)
}

// bareText is the text of an error without the operation and the path that the
// standard library puts before it, which a StartError has said already.
func bareText(err error) string {
	switch e := err.(type) { //nolint:errorlint // only what stands outermost is said twice
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

// contextError says that ctx ended, and its cause if somebody gave one.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == nil || errors.Is(cause, err) {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}
