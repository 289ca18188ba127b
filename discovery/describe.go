package discovery

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/jackfield-go/jackfield/discovery/internal/files"
	"github.com/jackfield-go/jackfield/discovery/internal/text"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// Defaults of [Describer].
const (
	defaultDescribeTimeout = 5 * time.Second
	defaultDescribeOutput  = 64 << 10
	defaultDescribeGrace   = time.Second
)

const (
	describeArg = "describe"
	stderrKept  = 4 << 10
)

// Describer asks plugins for their descriptions. It runs the binary with the argument
// "describe" and without the cookie of a host, and reads JSON from its stdout. It
// runs the given file. A [Resolver] describes a locked plugin only after its sum was
// found right, and runs a private copy with that sum: the file at the path may become
// another one meanwhile. The zero value is ready, but for the CookieKey.
type Describer struct {
	// CookieKey is the variable with the host's cookie
	// (core.Handshake.MagicCookieKey). It is taken out of the plugin's environment:
	// this program has it if it is a plugin itself.
	CookieKey string
	// Env is the environment, "KEY=value". Nil: this program's.
	Env []string
	// Timeout bounds one answer. 0: 5 seconds. Below 0 only the
	// context does.
	Timeout time.Duration
	// MaxOutput bounds an answer, in bytes. 0: 64 KiB.
	MaxOutput int
	// Grace is how long a child of the plugin may hold its output once the plugin
	// itself has ended. 0: 1 second.
	Grace time.Duration
}

// Errors of [DescribeError].
var (
	// ErrDescribeTimeout: the plugin did not answer within Describer.Timeout. It
	// was killed.
	ErrDescribeTimeout = errors.New("it did not answer in time, and was killed")
	// ErrDescribeFlood: the plugin wrote more than Describer.MaxOutput. It was
	// killed.
	ErrDescribeFlood = errors.New("it wrote more than a description may have, and was killed")
)

// DescribeError says why a plugin gave no description. It is still a plugin.
type DescribeError struct {
	// Path is its binary.
	Path string
	// Line is the wrong line of its answer, from 1; 0 if the error is not about a
	// line.
	Line int
	// Stderr is the end of its stderr, in one line. May be empty.
	Stderr string
	// Err is the reason: wraps [ErrDescribeTimeout], [ErrDescribeFlood],
	// [ErrNoDescription], an *[exec.ExitError], or an error of the context or the
	// system.
	Err error
}

func (e *DescribeError) Error() string {
	at := text.Line(e.Path, shownLine) + " " + describeArg
	if e.Line > 0 {
		at = fmt.Sprintf("%s:%d", at, e.Line)
	}
	said := ""
	if e.Stderr != "" {
		said = fmt.Sprintf(" (it said %q)", text.Clip(e.Stderr, shownText))
	}
	return fmt.Sprintf("%s: %s%s", at, text.Line(e.Err.Error(), shownLine), said)
}

// Unwrap returns the reason.
func (e *DescribeError) Unwrap() error { return e.Err }

// Describe runs the binary at path and returns its description. An error is a
// *[DescribeError]. When it returns, the process has ended, and its remaining
// children are killed: on Unix those still in its process group, elsewhere none, and
// their output is lost.
func (d Describer) Describe(ctx context.Context, path string) (*Description, error) {
	return d.describe(ctx, path, nil)
}

// DescribeSum is Describe of a private copy of the program, if the copy has that sum.
// So nothing else runs, even if somebody exchanges the file meanwhile. Another sum is
// a *[DescribeError] around a *[sums.MismatchError].
func (d Describer) DescribeSum(ctx context.Context, path string, want sums.Sum) (*Description, error) {
	description, err := d.describeCopy(ctx, path, want, true)
	// The system has no memory files, or is told not to run them.
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
		description, err = d.describeCopy(ctx, path, want, false)
	}
	return description, err
}

func (d Describer) describeCopy(ctx context.Context, path string, want sums.Sum, inMemory bool) (*Description, error) {
	program, err := seal(ctx, path, want, inMemory)
	if err != nil {
		return nil, &DescribeError{Path: path, Err: fmt.Errorf("make a private copy to run: %w", err)}
	}
	defer program.close()
	return d.describe(ctx, path, program)
}

// describe is Describe of a copy of the program at path; nil: of the program itself.
func (d Describer) describe(ctx context.Context, path string, program *sealed) (*Description, error) {
	if err := ctx.Err(); err != nil {
		return nil, &DescribeError{Path: path, Err: err}
	}
	timeout := cmp.Or(d.Timeout, defaultDescribeTimeout)
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, ErrDescribeTimeout)
		defer cancel()
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	stdout := &bounded{limit: cmp.Or(d.MaxOutput, defaultDescribeOutput), exceeded: func() { stop(ErrDescribeFlood) }}
	stderr := &tail{limit: stderrKept}

	err := d.run(ctx, path, program, stdout, stderr)
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // a child of the plugin had its output still
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if err != nil {
		var start *fs.PathError
		if program != nil && errors.As(err, &start) {
			start.Path = path // the copy is nobody's business
		}
		return nil, &DescribeError{Path: path, Stderr: stderr.line(), Err: err}
	}
	description, line, err := parseDescription(stdout.data.Bytes())
	if err != nil {
		return nil, &DescribeError{Path: path, Line: line, Stderr: stderr.line(), Err: err}
	}
	return description, nil
}

// These are the tries to run a program just written, and the pauses between them: a
// process that another goroutine forks holds the file until it runs its own program.
const (
	busyTries = 50
	busyPause = 10 * time.Millisecond
)

// run runs the program to its end, and ends the rest of its group too.
func (d Describer) run(ctx context.Context, path string, program *sealed, stdout, stderr io.Writer) error {
	for try := 1; ; try++ {
		cmd := exec.CommandContext(ctx, path, describeArg)
		if program != nil {
			cmd.Path = program.path
			if program.memory != nil {
				cmd.ExtraFiles = []*os.File{program.memory}
			}
		}
		cmd.Env = d.environment()
		cmd.Stdout, cmd.Stderr = stdout, stderr
		cmd.WaitDelay = cmp.Or(d.Grace, defaultDescribeGrace)
		isolate(cmd)
		err := cmd.Run()
		if cmd.Process != nil {
			killGroup(cmd)
		}
		if !errors.Is(err, files.ErrBusy) || try == busyTries {
			return err
		}
		select {
		case <-time.After(busyPause):
		case <-ctx.Done():
			return err
		}
	}
}

// environment returns the plugin's environment, without the variable by which it
// would take this program for its host.
func (d Describer) environment() []string {
	from := d.Env
	if from == nil {
		from = os.Environ()
	}
	env := make([]string, 0, len(from))
	for _, variable := range from {
		key, _, _ := strings.Cut(variable, "=")
		if d.CookieKey != "" && sameVariable(key, d.CookieKey) {
			continue
		}
		env = append(env, variable)
	}
	return env
}

// bounded keeps a limited number of bytes.
type bounded struct {
	limit    int
	exceeded func()
	data     bytes.Buffer
}

var errFull = errors.New("full")

func (b *bounded) Write(p []byte) (int, error) {
	if b.data.Len()+len(p) > b.limit {
		b.exceeded()
		return 0, errFull
	}
	return b.data.Write(p)
}

// tail keeps the last bytes.
type tail struct {
	limit int
	data  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.data = append(t.data, p[max(0, len(p)-t.limit):]...)
	if over := len(t.data) - t.limit; over > 0 {
		t.data = append(t.data[:0], t.data[over:]...)
	}
	return len(p), nil
}

// line is the last line, or the beginning of it.
func (t *tail) line() string {
	all := strings.ToValidUTF8(strings.TrimSpace(string(t.data)), "")
	return text.Clip(all[strings.LastIndexByte(all, '\n')+1:], shownText)
}
