package core

import (
	"errors"
	"fmt"
	"net"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/jackfield-go/jackfield/core/internal/logline"
)

// ErrClosed is returned by calls on something closed by its owner. errors.Is
// also matches [net.ErrClosed].
var ErrClosed error = closedError{}

type closedError struct{}

func (closedError) Error() string { return "closed" }
func (closedError) Unwrap() error { return net.ErrClosed }

// ErrConnectionLost is returned by calls that failed because the connection to
// the other side broke. On a host it is joined with an [ExitError] when the
// plugin's process has ended.
var ErrConnectionLost = errors.New("the connection was lost")

// ErrCannotQuit is a session's answer to Quit for a plugin without a way to be
// asked, as some in other languages. Its host ends the process, with SIGTERM
// first. The end is then no failure.
var ErrCannotQuit = errors.New("the plugin cannot be asked to leave")

// ExitError reports the end of a plugin's process. Its text has the first line of a crash report
// in Stderr, or the last lines there: log.Fatal's text is among them. Records, of any form that
// the host knows as a log line, are shown as level, message and attributes.
type ExitError struct {
	// Plugin is the plugin's name.
	Plugin string
	// Code is the exit code, -1 if a signal ended the process.
	Code int
	// Status is the end in words: "exit status 3", "killed by signal 9 (killed)".
	Status string
	// Stderr holds the last lines of the plugin's stderr.
	Stderr []string
}

func (e *ExitError) Error() string {
	text := "plugin"
	if e.Plugin != "" && e.Plugin != text { // a program may be called so
		text += " " + e.Plugin
	}
	text += " has ended: " + e.Status
	if head := e.DeathLine(); head != "" {
		return text + " (" + logline.Printable(clipped(head)) + ")"
	}
	if last := e.lastLines(); last != "" {
		text += " (last on stderr: " + last + ")"
	}
	return text
}

// lastLines returns the last lines of Stderr, readable and in a single line.
func (e *ExitError) lastLines() string {
	const most, size = 5, 500
	var text string
	for n, line := range slices.Backward(e.Stderr) {
		line = logline.Printable(clipped(strings.TrimSpace(logline.Readable(line))))
		switch {
		case line == "":
		case text == "":
			text = line
		case len(e.Stderr)-n > most || len(line)+len(text) > size:
			return text
		default:
			text = line + " | " + text
		}
	}
	return text
}

// DeathLine returns the first line of a crash report in Stderr, or "". The report is that of a
// panic, of a fatal error of the Go runtime, as "fatal error: stack overflow" or "SIGSEGV:
// segmentation violation", or of a C library's abort.
func (e *ExitError) DeathLine() string {
	for _, line := range slices.Backward(e.Stderr) {
		if logline.IsDeathHeading(line) {
			return line
		}
	}
	return ""
}

// CookieError is the error of a plugin started without a host of its
// application: the magic cookie's variable is missing or has another value.
type CookieError struct {
	// Key is the variable's name.
	Key string
	// Missing tells an unset variable from a wrong value.
	Missing bool
}

func (e *CookieError) Error() string {
	return "this program is a plugin: it is started by the application that uses it, and is not meant to be run by hand.\n" +
		"Install it where that application looks for its plugins, and start the application instead."
}

// DeveloperHint names the variable, for [Hint].
func (e *CookieError) DeveloperHint() string {
	reason := "has another value than this plugin expects"
	if e.Missing {
		reason = "is not set"
	}
	return "the environment variable " + e.Key + ", by which the application makes itself known, " + reason
}

// VersionError is the error of a host and a plugin without an application
// version in common.
type VersionError struct {
	// Host holds the versions of the host, ascending.
	Host []int
	// Plugin holds the versions of the plugin, ascending. If the plugin does
	// not list them all, it holds the announced version alone.
	Plugin []int
	// Complete is whether Plugin is the plugin's whole list.
	Complete bool
}

func (e *VersionError) Error() string {
	theirs := "the plugin speaks " + joinInts(e.Plugin)
	if !e.Complete {
		theirs = "the plugin answered " + joinInts(e.Plugin) + " (it does not tell its other versions, if it has any)"
	}
	advice := "install a release of the plugin that was made for this host, or the other way round"
	switch {
	case len(e.Host) == 0 || len(e.Plugin) == 0:
	case slices.Max(e.Plugin) < slices.Min(e.Host) && e.Complete:
		advice = "the plugin is older than this host supports: install a newer plugin"
	case slices.Min(e.Plugin) > slices.Max(e.Host):
		advice = "the plugin is newer than this host: install an older plugin or a newer host"
	}
	return fmt.Sprintf("no application version in common: the host speaks %s, %s; %s", joinInts(e.Host), theirs, advice)
}

// DeveloperHint names the setting, for [Hint].
func (e *VersionError) DeveloperHint() string {
	return "each side supports the versions of Versions in its Config: host and plugin need one in common"
}

// RequirementError is the error of a side that requires a semantic version of the
// other side, which does not fit. Unlike the versions of a [VersionError] it is that
// of a release of the plugin or of the host.
type RequirementError struct {
	// Side is the side with the requirement: "host" or "plugin".
	Side string
	// Required is the requirement, such as ">= 1.4, < 2".
	Required string
	// Got is the version of the other side. Empty: it does not say its version, or
	// the requirement cannot be read.
	Got string
	// Err is the fault of a version or a requirement that cannot be read; nil if
	// both can.
	Err error
}

func (e *RequirementError) Error() string {
	other := "plugin"
	if e.Side == other {
		other = "host"
	}
	required, got := quoteClipped(e.Required), clipped(e.Got)
	switch {
	case e.Err != nil && e.Got == "":
		return fmt.Sprintf("the %s requires version %s of the %s, which is no constraint such as \">= 1.4, < 2\" (%v): install another release of the %s",
			e.Side, required, other, e.Err, e.Side)
	case e.Got == "":
		return fmt.Sprintf("the %s does not say its version, and the %s requires %s: install a release of the %s that does", other, e.Side, required, other)
	case e.Err != nil:
		got = fmt.Sprintf("%q, which is no semantic version (%v)", got, e.Err)
	case strings.Contains(e.Got, "-") && !strings.Contains(e.Required, "-"):
		got += ", a pre-release"
		required += ", which names none"
	}
	return fmt.Sprintf("the %s has version %s, and the %s requires %s: install a release of the %s that fits", other, got, e.Side, required, other)
}

// Unwrap returns the fault of the requirement or the version.
func (e *RequirementError) Unwrap() error { return e.Err }

// ProtocolError is the error of a host without the transport announced by the
// plugin.
type ProtocolError struct {
	// Got is the protocol announced by the plugin.
	Got Protocol
	// Version is the application version announced with it.
	Version int
	// Supported holds the host's protocols for that version.
	Supported []Protocol
}

func (e *ProtocolError) Error() string {
	return fmt.Sprintf("the plugin speaks protocol %s under application version %d, this host supports %s there: "+
		"install a release of the plugin that was made for this host",
		strconv.Quote(string(e.Got)), e.Version, joinQuoted(e.Supported))
}

// DeveloperHint names the remedies in the code, for [Hint].
func (e *ProtocolError) DeveloperHint() string {
	return "give the host a transport for the protocol in Config.Versions, or build the plugin with a supported one"
}

// UnknownPluginError is the error of a request for a plugin name that does not
// exist.
type UnknownPluginError struct {
	// Name is the requested name.
	Name string
	// Side is the side without the name: "host" or "plugin".
	Side string
	// Known holds the names that exist there, sorted; nil if they are unknown.
	Known []string
}

func (e *UnknownPluginError) Error() string {
	text := fmt.Sprintf("the %s has no plugin named %q", e.Side, e.Name)
	switch {
	case len(e.Known) > 0:
		return text + "; it has " + joinQuoted(e.Known)
	case e.Known != nil:
		return text + "; it has none"
	}
	return text
}

// DeveloperHint names the place of the name, for [Hint].
func (e *UnknownPluginError) DeveloperHint() string {
	return "declare the plugin with core.Define under the same name on both sides, " +
		"and carry it with a transport of the negotiated version"
}

// SocketPathError is the error of a unix socket's path that exceeds the
// platform's limit.
type SocketPathError struct {
	// Path is the path.
	Path string
	// Limit is the platform's limit, in bytes.
	Limit int
	// Advice is the remedy.
	Advice string
}

func (e *SocketPathError) Error() string {
	return fmt.Sprintf("the path of a unix socket may have %d bytes on this platform, and %q has %d: %s",
		e.Limit, e.Path, len(e.Path), e.Advice)
}

// AddressError is the error of a host that refused to connect to an address
// named by its plugin (protocol §2, §5).
type AddressError struct {
	// Network and Address are the address named by the plugin.
	Network, Address string
	// Reason is the reason for the refusal.
	Reason string
}

func (e *AddressError) Error() string {
	return fmt.Sprintf("the plugin named the address %s %s, which is refused: %s", quoteClipped(e.Network), quoteClipped(e.Address), e.Reason)
}

// clipped cuts the other side's text off at a length for a person.
func clipped(text string) string {
	const most = 200
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

func quoteClipped(text string) string { return strconv.Quote(clipped(text)) }

// TypeError is the error of a dispensed client without the requested type: the
// negotiated version carries another plugin of the same name, or its client
// function returned nil.
type TypeError struct {
	// Name is the plugin's name.
	Name string
	// Got is the type of the dispensed client, Want the type asked for.
	Got, Want reflect.Type
}

func (e *TypeError) Error() string {
	if e.Got == nil {
		return fmt.Sprintf("the plugin %q dispensed nil, not a %v: it cannot be used by this release of the application", e.Name, e.Want)
	}
	return fmt.Sprintf("the plugin %q dispensed a %v, which is not a %v: it cannot be used by this release of the application",
		e.Name, e.Got, e.Want)
}

// DeveloperHint names the remedy in the code, for [Hint].
func (e *TypeError) DeveloperHint() string {
	if e.Got == nil {
		return "the client function of the plugin's transport must return a client"
	}
	return "dispense the core.Plugin that the negotiated version carries"
}

func joinInts(numbers []int) string {
	if len(numbers) == 0 {
		return "none"
	}
	texts := make([]string, len(numbers))
	for i, n := range numbers {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, ", ")
}

func joinQuoted[T ~string](names []T) string {
	if len(names) == 0 {
		return "none"
	}
	texts := make([]string, len(names))
	for i, n := range names {
		texts[i] = strconv.Quote(string(n))
	}
	return strings.Join(texts, ", ")
}

// PeerError is the error of a unix socket whose other end belongs to a process
// of a user without access. The connection was closed before a byte of it was
// read.
type PeerError struct {
	// UID is the user of the process, and GID the user's group.
	UID, GID int
	// PID is the process, 0 if the system does not tell.
	PID int
	// Err is set, and the rest is not, if the system did not identify the process.
	Err error
}

func (e *PeerError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("refused: the system does not say who is at the other end of the socket: %v", e.Err)
	}
	process := ""
	if e.PID != 0 {
		process = " (process " + strconv.Itoa(e.PID) + ")"
	}
	return fmt.Sprintf("refused: at the other end of the socket is user %d%s, who is neither this user nor one that was allowed",
		e.UID, process)
}

// DeveloperHint names the settings, for [Hint].
func (e *PeerError) DeveloperHint() string {
	if e.Err != nil {
		return ""
	}
	return "Sockets.User and Sockets.Group of host.Config allow further users, and so does SocketUsers of plugin.Config"
}

// Unwrap returns the error of the system that did not identify the process.
func (e *PeerError) Unwrap() error { return e.Err }
