package host

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/internal/logline"
)

// Stage is how far a launch came.
type Stage string

// The stages of a launch, in their order.
const (
	StageConfigure Stage = "configure" // the configuration cannot work
	StageVerify    Stage = "verify"    // the program may not run
	StageStart     Stage = "start"     // the program could not be run
	StageHandshake Stage = "handshake" // it did not announce itself
	StageNegotiate Stage = "negotiate" // it announced what the host cannot use
	StageConnect   Stage = "connect"   // it did not answer where it said
)

// LaunchError says why a plugin could not be launched. No process of the attempt
// is left, and the same configuration can be launched again.
//
// With errors.As the reasons are reached that a caller could act on: a
// *[core.ExitError] (the process ended), *[core.VersionError],
// *[core.ProtocolError], *[core.AddressError], *[core.PeerError],
// *[core.SocketPathError], *handshake.ParseError, *handshake.CoreVersionError,
// *runner.StartError, *verify.ChecksumError, *verify.HashError, *verify.SizeError,
// *verify.SumsError,
// *tlsutil.CertificateError, *tlsutil.ValidityError, *tlsutil.PinError,
// *tlsutil.FilesError, *[NoiseError], *[TimeoutError]. With errors.Is:
// [ErrNoCertificate], [ErrUnaskedCertificate], [ErrPlainTCP], verify.ErrCacheClosed,
// verify.ErrCopyChanged, [context.Canceled] and [context.DeadlineExceeded].
type LaunchError struct {
	// Stage is how far the launch came.
	Stage Stage
	// Plugin is the plugin's name, Path its program.
	Plugin, Path string
	// Line is the last line that was read from the plugin's stdout; empty if
	// none was.
	Line string
	// Exit is how the process ended by itself, nil if it did not.
	Exit *core.ExitError
	// Stderr holds the last lines of the plugin's stderr.
	Stderr []string
	// Hint is what was found out beside, or what to do; may be empty.
	Hint string
	// Err is the reason.
	Err error
}

// maxLineShown bounds a line of the plugin's in an error's text, and
// maxReasonShown the text of the reason: a plugin's answer may be in it.
const (
	maxLineShown   = 200
	maxReasonShown = 4 << 10
)

func (e *LaunchError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "launch %s: %s: %s", called(e.Plugin), e.Stage, strings.ReplaceAll(bounded(e.Err.Error()), "\n", "\n  "))
	if e.Exit != nil {
		fmt.Fprintf(&b, " (%s)", e.Exit.Status)
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, "\n  %s", e.Hint)
	}
	if e.Path != "" && e.Stage != StageStart {
		fmt.Fprintf(&b, "\n  program: %s", e.Path)
	}
	if e.Line != "" {
		fmt.Fprintf(&b, "\n  last line on its stdout: %s", shown(withoutCertificate(e.Line)))
	}
	if len(e.Stderr) > 0 {
		b.WriteString("\n  last lines on its stderr:")
		for _, line := range e.Stderr {
			b.WriteString("\n    " + logline.Printable(line))
		}
	}
	return b.String()
}

// Unwrap returns the reason, and the end of the process.
func (e *LaunchError) Unwrap() []error {
	if e.Exit != nil {
		return []error{e.Err, e.Exit}
	}
	return []error{e.Err}
}

// withoutCertificate shortens the sixth field of a handshake line: a certificate takes
// the place of all that a person could read.
func withoutCertificate(line string) string {
	const certificate, readable = 5, 50
	if _, _, glued := handshake.SplitGlued(line); !glued && !handshake.IsCandidate(line) {
		return line
	}
	fields := strings.Split(line, "|")
	if len(fields) > certificate && len(fields[certificate]) > readable {
		fields[certificate] = fmt.Sprintf("(%d bytes)", len(fields[certificate]))
	}
	return strings.Join(fields, "|")
}

// bounded clips and escapes a text of several lines.
func bounded(text string) string {
	if len(text) > maxReasonShown {
		text = text[:maxReasonShown] + fmt.Sprintf("… (%d bytes left out)", len(text)-maxReasonShown)
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = logline.Printable(line)
	}
	return strings.Join(lines, "\n")
}

func shown(line string) string {
	if len(line) > maxLineShown {
		return strconv.Quote(line[:maxLineShown]) + "…"
	}
	return strconv.Quote(line)
}

// NoiseError says that a plugin printed more on its stdout than it may before
// the handshake line.
type NoiseError struct {
	// Limit is what it may print, in bytes (Config.Outputs.MaxNoise).
	Limit int
}

func (e *NoiseError) Error() string {
	return fmt.Sprintf("the plugin printed more than %d bytes on stdout before a handshake line: "+
		"is it a plugin? (Config.Outputs.MaxNoise allows for more)", e.Limit)
}

// TimeoutError says that a launch took longer than Config.Timeouts.Start. It is a
// [context.DeadlineExceeded] too.
type TimeoutError struct {
	// Limit is the configured time.
	Limit fmt.Stringer
	// err is what makes it a deadline.
	err error
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("not finished within %v (Config.Timeouts.Start allows for more)", e.Limit)
}

// Unwrap returns [context.DeadlineExceeded].
func (e *TimeoutError) Unwrap() error { return e.err }

// StopError says that a plugin did not leave in order: it did not leave when it was
// asked, and was killed, or it could not be asked since the connection was lost.
// Then Err wraps [core.ErrConnectionLost].
type StopError struct {
	// Plugin is the plugin's name.
	Plugin string
	// Left is true if the plugin left on SIGTERM, and so was not killed. A plugin
	// of this library runs its shutdown functions then.
	Left bool
	// Err is the reason.
	Err error
}

func (e *StopError) Error() string {
	switch {
	case e.Left:
		return fmt.Sprintf("%s could not be asked to leave: %v; it left on SIGTERM", called(e.Plugin), e.Err)
	case errors.Is(e.Err, core.ErrConnectionLost):
		return fmt.Sprintf("%s could not be asked to leave and was killed: %v", called(e.Plugin), e.Err)
	}
	return fmt.Sprintf("%s did not leave in order and was killed: %v", called(e.Plugin), e.Err)
}

// Unwrap returns the reason.
func (e *StopError) Unwrap() error { return e.Err }

// called is how an error's text names a plugin: a program that is called plugin would
// be named twice.
func called(name string) string {
	if name == "" || name == "plugin" {
		return "plugin"
	}
	return "plugin " + name
}
