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

// Stage is the last stage reached by a launch.
type Stage string

// The stages of a launch, in their order.
const (
	StageConfigure Stage = "configure" // the configuration cannot work
	StageVerify    Stage = "verify"    // the program may not run
	StageStart     Stage = "start"     // the program could not be run
	StageHandshake Stage = "handshake" // it did not announce itself
	StageNegotiate Stage = "negotiate" // the host cannot use its announcement
	StageConnect   Stage = "connect"   // it did not answer at its address
)

// LaunchError reports a failed launch. No process of the attempt is left, and the same
// configuration can be launched again. The text is for a user of the application; [core.Hint]
// returns the hints for its developer.
//
// errors.As finds the reasons to act on: a *[core.ExitError] (the process ended),
// *[core.VersionError], *[core.RequirementError], *[core.ProtocolError], *[core.AddressError], *[core.PeerError],
// *[core.SocketPathError], *handshake.ParseError, *handshake.CoreVersionError, *runner.StartError,
// *verify.ChecksumError, *verify.HashError, *verify.SizeError, *verify.SumsError,
// *tlsutil.CertificateError, *tlsutil.ValidityError, *tlsutil.PinError, *tlsutil.FilesError,
// *[NoiseError], *[TimeoutError]. errors.Is finds [ErrNoCertificate], [ErrUnaskedCertificate],
// [ErrPlainTCP], verify.ErrCacheClosed, verify.ErrCopyChanged, [context.Canceled] and
// [context.DeadlineExceeded].
type LaunchError struct {
	// Stage is the last stage reached.
	Stage Stage
	// Plugin is the plugin's name, Path its program.
	Plugin, Path string
	// Line is the last line on the plugin's stdout; empty without one.
	Line string
	// Exit is the end of the process; nil if it did not end by itself.
	Exit *core.ExitError
	// Stderr holds the last lines of the plugin's stderr. The error's text shows records of a log
	// as level, message and attributes.
	Stderr []string
	// Hint is a further finding, or the remedy, for a user of the application; may be empty.
	Hint string
	// ForDeveloper is a further finding, or the remedy, for the developer of the application or of the
	// plugin; may be empty. [core.Hint] finds it, and those of Err. It is not part of the text.
	ForDeveloper string
	// Err is the reason.
	Err error
}

// maxLineShown limits a plugin's line in an error's text, and maxReasonShown
// the text of the reason: a plugin's answer may be in it.
const (
	maxLineShown   = 200
	maxReasonShown = 4 << 10
)

func (e *LaunchError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "launch %s: %s: %s", called(e.Plugin), e.Stage, strings.ReplaceAll(bounded(e.reason()), "\n", "\n  "))
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
			b.WriteString("\n    " + logline.Printable(logline.Readable(line)))
		}
	}
	return b.String()
}

// DeveloperHint returns ForDeveloper, for [core.Hint].
func (e *LaunchError) DeveloperHint() string { return e.ForDeveloper }

// reason returns the text of Err without the last lines of stderr, which have a place of their own.
func (e *LaunchError) reason() string {
	text := e.Err.Error()
	if exit := (*core.ExitError)(nil); len(e.Stderr) > 0 && errors.As(e.Err, &exit) {
		text = strings.Replace(text, exit.Error(), (&core.ExitError{Plugin: exit.Plugin, Status: exit.Status}).Error(), 1)
	}
	return text
}

// Unwrap returns the reason, and the end of the process.
func (e *LaunchError) Unwrap() []error {
	if e.Exit != nil {
		return []error{e.Err, e.Exit}
	}
	return []error{e.Err}
}

// AttachError reports a failed [Attach]. The plugin, if it runs, runs on.
//
// errors.As finds the reasons of a [LaunchError] from its negotiation on. errors.Is finds
// [os.ErrProcessDone] (the plugin has ended, and another process may have its number),
// [ErrNoSecret], [ErrNoCertificate], [ErrUnaskedCertificate], [context.Canceled] and
// [context.DeadlineExceeded].
type AttachError struct {
	// Plugin is the plugin's name.
	Plugin string
	// Network and Address are the plugin's in the reattach data.
	Network, Address string
	// Hint is the remedy, for a user of the application; may be empty.
	Hint string
	// ForDeveloper is the remedy for the developer of the application or of the plugin; may be
	// empty. [core.Hint] finds it, and those of Err. It is not part of the text.
	ForDeveloper string
	// Err is the reason.
	Err error
}

// DeveloperHint returns ForDeveloper, for [core.Hint].
func (e *AttachError) DeveloperHint() string { return e.ForDeveloper }

func (e *AttachError) Error() string {
	text := fmt.Sprintf("attach to %s at %s %s: %s", called(e.Plugin), shown(e.Network), shown(e.Address),
		strings.ReplaceAll(bounded(e.Err.Error()), "\n", "\n  "))
	if e.Hint != "" {
		text += "\n  " + e.Hint
	}
	return text
}

// Unwrap returns the reason.
func (e *AttachError) Unwrap() error { return e.Err }

// withoutCertificate shortens the sixth field of a handshake line: a certificate would crowd out
// the readable fields.
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

// NoiseError is the error of a plugin that exceeded the limit for stdout before
// the handshake line.
type NoiseError struct {
	// Limit is the limit in bytes (Config.Outputs.MaxNoise).
	Limit int
}

func (e *NoiseError) Error() string {
	return fmt.Sprintf("the plugin printed more than %d bytes on stdout before a handshake line: is it a plugin of this application?", e.Limit)
}

// DeveloperHint names the setting, for [core.Hint].
func (e *NoiseError) DeveloperHint() string {
	return "Config.Outputs.MaxNoise allows for more text before the handshake line"
}

// TimeoutError is the error of a launch that took longer than
// Config.Timeouts.Start. errors.Is also matches [context.DeadlineExceeded].
type TimeoutError struct {
	// Limit is the configured time.
	Limit fmt.Stringer
	// the context's error
	err error
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("not finished within %v", e.Limit)
}

// DeveloperHint names the setting, for [core.Hint].
func (e *TimeoutError) DeveloperHint() string { return "Config.Timeouts.Start allows for more time" }

// Unwrap returns [context.DeadlineExceeded].
func (e *TimeoutError) Unwrap() error { return e.err }

// StopError is the error of a plugin that did not leave in order: it did not leave when asked, or it
// could not be asked because the connection was lost. Then Err wraps [core.ErrConnectionLost].
// Either way it got SIGTERM, and was killed if it stayed.
type StopError struct {
	// Plugin is the plugin's name.
	Plugin string
	// Left is true if the plugin left on SIGTERM, and so was not killed. A
	// plugin of this library runs its shutdown functions then.
	Left bool
	// Err is the reason.
	Err error
}

func (e *StopError) Error() string {
	lost := errors.Is(e.Err, core.ErrConnectionLost)
	switch {
	case e.Left && lost:
		return fmt.Sprintf("%s could not be asked to leave: %v; it left on SIGTERM", called(e.Plugin), e.Err)
	case e.Left:
		return fmt.Sprintf("%s did not leave when asked: %v; it left on SIGTERM", called(e.Plugin), e.Err)
	case lost:
		return fmt.Sprintf("%s could not be asked to leave and was killed: %v", called(e.Plugin), e.Err)
	}
	return fmt.Sprintf("%s did not leave in order and was killed: %v", called(e.Plugin), e.Err)
}

// Unwrap returns the reason.
func (e *StopError) Unwrap() error { return e.Err }

// called returns the plugin's name for an error's text. It does not name a program called plugin
// twice.
func called(name string) string {
	if name == "" || name == "plugin" {
		return "plugin"
	}
	return "plugin " + name
}
