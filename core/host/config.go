package host

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/internal/logline"
	"github.com/jackfield-go/jackfield/core/runner"
	"github.com/jackfield-go/jackfield/core/verify"
)

// Defaults of [Config].
const (
	DefaultStartTimeout     = time.Minute
	DefaultStopTimeout      = 2 * time.Second
	DefaultTerminateTimeout = 500 * time.Millisecond
	DefaultKillTimeout      = 5 * time.Second
	DefaultExitGrace        = 250 * time.Millisecond
	DefaultMaxLogLine       = logline.DefaultMaxLine
	DefaultMaxNoise         = 64 << 10
)

// Config describes a plugin and how to run it. Most hosts set the first four
// fields. Config is never modified: one value serves any number of concurrent
// launches if its writers and its reader do.
type Config struct {
	// Handshake identifies the application to its plugins. Required.
	Handshake core.Handshake

	// Versions are the host's application versions, each with its accepted
	// transports. Required.
	Versions core.Versions

	// Command is the program to run, and everything its process gets; see
	// [Command]. Required, except with a Runner.
	Command Cmd

	// AutoMTLS makes the host and the plugin authenticate each other, with
	// certificates for this one launch, on all their connections: off,
	// preferred or required. The zero value is MTLSOff; a host that chooses its
	// plugins should take MTLSRequired.
	AutoMTLS MTLS

	// Logger takes the plugin's log and the library's messages, at debug level
	// while all is well. Nil: [slog.Default], as it is at the launch; a logger of
	// [slog.DiscardHandler] is silent. Levels below debug are [core.LevelTrace].
	Logger *slog.Logger

	// Outputs are the writers for the plugin's output. The zero value drops it.
	Outputs Outputs

	// Name is the plugin's name in errors and logs. Empty: the runner's name
	// for it, the last element of the command's path.
	Name string

	// Verify decides whether the program may run. The zero value runs any program.
	Verify verify.Config

	// Require is a constraint on the plugin's semantic version, such as
	// ">= 1.4, < 2" or "~> 1.4", with the meaning of discovery's constraints: a
	// pre-release fits only a constraint that names one of its release. The launch
	// of any other version is refused with a *[core.RequirementError]. So is a
	// plugin that does not say its version, as with go-plugin. The version is the
	// plugin's claim, and no security. Empty: any plugin is taken, and
	// [Client.Info] has the version if it is known.
	Require string

	// HostVersion is this application's semantic version, for plugins that require
	// one (RequireHost of plugin.Config). Empty: those are refused.
	HostVersion string

	// TLS provides the application's own configurations instead of AutoMTLS, for plugins with their
	// own ([core.TLSFiles], plugin.Config.TLS). The Client configuration dials the plugin and its
	// brokered services; the Server configuration serves the plugin's brokered connections. Nil:
	// none. TLS cannot be combined with AutoMTLS.
	TLS core.TLSProvider

	// Sockets determines the place of the sockets and the users with access.
	// The zero value: a private directory, for this user and root.
	Sockets Sockets

	// Timeouts limit each phase. The zero value has the defaults.
	Timeouts Timeouts

	// Runner makes the runner of the command. Nil: a child process of this
	// process.
	//
	// The host connects to a child process on this machine alone: with a
	// [runner.Process], also from a Runner function, a plugin's address on
	// another machine is a *[core.AddressError]. Any other runner decides in
	// PluginToHost where to connect.
	Runner func(runner.Command) (runner.Runner, error)
}

// Outputs are the writers for a plugin's three outputs, and limits. Each writer is written to by
// one goroutine. While a writer blocks, the plugin's own writes block too, and it cannot leave in
// order.
type Outputs struct {
	// PrintedStdout takes the plugin's prints to its os.Stdout. Nil: they are
	// dropped. In go-plugin it is SyncStdout.
	PrintedStdout io.Writer

	// PrintedStderr takes the plugin's prints to its os.Stderr while it serves. Nil: they are
	// dropped. In go-plugin it is SyncStderr; the Stderr there is RawLog.
	PrintedStderr io.Writer

	// RawLog takes an unchanged copy of every byte on the process's standard error: the plugin's
	// log, also passed to Config.Logger as records, and crash reports. Nil: none. In go-plugin it
	// is Stderr.
	RawLog io.Writer

	// PlainLevel is the level of log lines without a level of their own, in the form
	// of no known logger. The zero value is slog.LevelInfo.
	PlainLevel slog.Level

	// MaxLogLine is the length limit of a whole log line, in bytes; a longer
	// line becomes several records. 0 means DefaultMaxLogLine.
	MaxLogLine int

	// MaxNoise is the number of bytes that a plugin may print on stdout before
	// its handshake line. They are logged and skipped. 0 means DefaultMaxNoise;
	// a negative value allows none.
	MaxNoise int
}

// Sockets determines the meeting place of a host and its plugin, and the other users with
// access.
type Sockets struct {
	// Dirs are candidate directories; the first suitable one gets a private directory for the
	// plugin's sockets. It is suitable if its path is short enough, and no other user can rename
	// its content or a directory above. Links are followed, and the plugin gets the path without
	// them. Nil: on Linux TMPDIR and XDG_RUNTIME_DIR if they are set, then /dev/shm, since a socket
	// on disk takes longer to make, then /tmp; elsewhere the system's directory for temporary
	// files, and /tmp.
	Dirs []string

	// User is the name or ID of the plugin's user, if that differs from this process's user and
	// Command.SysProcAttr does not say so: a wrapper (sudo) or an isolating runner changes it. The
	// plugin's directory is given to that user. This takes a host that runs as root; otherwise both
	// need a Group. The user's processes may connect to the plugin's sockets. On Linux and macOS
	// those of other users are refused there, whatever the file modes, except this user and root.
	// In a user namespace the ID is the one seen by this process. Empty: the user of
	// Command.SysProcAttr, else this user.
	User string

	// Group is the name or ID of a group with access to the plugin's sockets
	// (protocol §1), for a plugin of another user. The directory gets mode
	// 0770, the sockets of both sides 0660, and all of them the group. This
	// process must be root or a member of the group, and the plugin too. Its
	// members can then call the plugin and stand in for it, unless AutoMTLS is
	// on. Empty: only this user has access. Without unix sockets (Windows) it
	// has no effect.
	//
	// The directories above must let the group pass. So without Dirs,
	// XDG_RUNTIME_DIR is left out on Linux, and elsewhere it is /tmp.
	Group string

	// MinPort and MaxPort are the inclusive range of ports for a plugin
	// listening on TCP. Both 0: 10000 to 25000.
	MinPort, MaxPort int

	// RefusePlainTCP refuses a plugin listening on TCP without TLS, as plugins
	// on Windows and some in other languages do: every user of the machine
	// could call it. The launch then fails with [ErrPlainTCP]. False: the
	// plugin is used, with a warning in the log.
	RefusePlainTCP bool
}

// Timeouts limit the phases in the life of a plugin. Its end has three steps, each with a time: the
// plugin is asked to leave (Stop), gets SIGTERM (Terminate), and is killed (Kill).
type Timeouts struct {
	// Start limits a launch, from the call of Launch, verification included, to
	// the plugin's first answer. 0 means DefaultStartTimeout; with a negative
	// value only the context limits it.
	Start time.Duration

	// Stop limits how long a plugin may take to leave when it is asked. A plugin that
	// cannot be asked gets SIGTERM at once, and has this time too. 0 means
	// DefaultStopTimeout; with a negative value it is killed unasked.
	Stop time.Duration

	// Terminate limits how much longer it may take on SIGTERM, before it is killed. A
	// runner without Terminate has no such step, nor has Windows without a
	// Command.Group. 0 means DefaultTerminateTimeout; with a negative value the plugin
	// is killed instead.
	Terminate time.Duration

	// Kill limits the wait for the end of a killed process. 0 means
	// DefaultKillTimeout.
	Kill time.Duration

	// Connection limits how long the host waits for an accepted brokered
	// connection to finish TLS and to begin. 0 means
	// core.DefaultConnectionTimeout.
	Connection time.Duration

	// ExitGrace limits how long a call on a failed connection waits for the end
	// of the process, to report it. It also limits how long a connection held
	// by the process's child is read after the process's end. 0 means
	// DefaultExitGrace; with a negative value neither happens.
	ExitGrace time.Duration
}

func (c Config) validate() error {
	var err error
	if c.Command.Path == "" && c.Runner == nil {
		err = errors.New("there is nothing to launch: neither a Config.Command with a Path nor a Config.Runner")
	}
	return c.validateWith(errors.Join(err, c.validateVerify()))
}

// validateWith checks the settings for launches and for attaching. reason is a reason against the
// rest.
func (c Config) validateWith(reason error) error {
	return errors.Join(c.Handshake.Validate(), c.Versions.Validate(), reason, c.Command.validate(), c.validateRequirements(), c.validateSecurity(),
		c.Outputs.validate(), c.Sockets.validate(), c.Timeouts.validate())
}

func (c Config) validateVerify() error {
	if c.Verify.Verifier != nil && c.Command.Path == "" {
		return errors.New("there is a Config.Verify.Verifier and no Config.Command: nothing that could be verified")
	}
	return c.Verify.Validate()
}

func (o Outputs) validate() error {
	if o.MaxLogLine < 0 {
		return fmt.Errorf("the setting Config.Outputs.MaxLogLine is negative: %d", o.MaxLogLine)
	}
	return nil
}

func (s Sockets) validate() error {
	if s.MinPort < 0 || s.MaxPort > 65535 || s.MinPort > s.MaxPort {
		return fmt.Errorf("invalid port range from Config.Sockets.MinPort %d to Config.Sockets.MaxPort %d", s.MinPort, s.MaxPort)
	}
	return nil
}

func (t Timeouts) validate() (err error) {
	if t.Kill < 0 {
		err = fmt.Errorf("the setting Config.Timeouts.Kill is negative: %v", t.Kill)
	}
	if t.Connection < 0 {
		err = errors.Join(err, fmt.Errorf("the setting Config.Timeouts.Connection is negative: %v", t.Connection))
	}
	return err
}

// withDefaults returns a copy that shares no mutable value with c.
func (c Config) withDefaults() Config {
	c.Versions = c.Versions.Clone()
	c.Command = c.Command.clone()
	c.Sockets.Dirs = slices.Clone(c.Sockets.Dirs)
	c.Verify.Dirs = slices.Clone(c.Verify.Dirs)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Outputs.PrintedStdout == nil {
		c.Outputs.PrintedStdout = io.Discard
	}
	if c.Outputs.PrintedStderr == nil {
		c.Outputs.PrintedStderr = io.Discard
	}
	setDefault(&c.Outputs.MaxNoise, DefaultMaxNoise)
	if c.Runner == nil {
		c.Runner = func(cmd runner.Command) (runner.Runner, error) { return runner.NewProcess(cmd), nil }
	}
	setDefault(&c.Timeouts.Start, DefaultStartTimeout)
	setDefault(&c.Timeouts.Stop, DefaultStopTimeout)
	setDefault(&c.Timeouts.Terminate, DefaultTerminateTimeout)
	setDefault(&c.Timeouts.Kill, DefaultKillTimeout)
	setDefault(&c.Timeouts.Connection, core.DefaultConnectionTimeout)
	setDefault(&c.Timeouts.ExitGrace, DefaultExitGrace)
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
