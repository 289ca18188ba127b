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
	DefaultStartTimeout = time.Minute
	DefaultStopTimeout  = 2 * time.Second
	DefaultKillTimeout  = 5 * time.Second
	DefaultExitGrace    = 250 * time.Millisecond
	DefaultMaxLogLine   = logline.DefaultMaxLine
	DefaultMaxNoise     = 64 << 10
)

// Config describes a plugin and how to run it. Most hosts set the first four
// fields. It is never modified: one value serves any number of launches, also at
// the same time, as far as the writers and the reader in it do.
type Config struct {
	// Handshake is how the plugin knows its host. Required.
	Handshake core.Handshake

	// Versions are the application versions that the host speaks, each with
	// the transports that it accepts. Required.
	Versions core.Versions

	// Command is the program to run, and what its process gets; see [Command].
	// Required, but with a Runner.
	Command Cmd

	// AutoMTLS makes the host and the plugin prove to each other who they are,
	// with certificates for this one launch, on all their connections: off,
	// preferred or required. The zero value is MTLSOff; a host that chooses its
	// plugins has no reason not to take MTLSRequired.
	AutoMTLS MTLS

	// Logger takes the plugin's log, and what the library has to say: debug
	// while all is well. Nil: neither is logged. Levels below debug are
	// [core.LevelTrace].
	Logger *slog.Logger

	// Outputs are the writers for what the plugin prints. The zero value drops it.
	Outputs Outputs

	// Name is what errors and logs call the plugin. Empty: the runner's name
	// for it, which is the last element of the command's path.
	Name string

	// Verify decides whether the program may run. The zero value runs any program.
	Verify verify.Config

	// TLS provides configurations of the application's own instead of AutoMTLS, for
	// plugins that have some, too ([core.TLSFiles], plugin.Config.TLS). The Client one
	// dials the plugin and what it serves through a broker; the Server one serves what
	// the plugin dials there. Nil: none. It cannot be combined with AutoMTLS.
	TLS core.TLSProvider

	// Sockets are where host and plugin meet, and who else may be there. The zero
	// value: in a private directory, this user and root.
	Sockets Sockets

	// Timeouts bound what takes time. The zero value has the defaults.
	Timeouts Timeouts

	// Runner makes what runs the command. Nil: a child process of this one.
	//
	// A plugin that is a child process is connected to on this machine alone:
	// with a [runner.Process], also from a Runner function, an address that it
	// names on another machine is a *[core.AddressError]. Any other runner
	// decides for itself, in PluginToHost, what is connected to.
	Runner func(runner.Command) (runner.Runner, error)
}

// Outputs are the writers for a plugin's three outputs, and bounds. Each writer is
// written to by one goroutine. While it blocks, so does the plugin when it writes,
// and it cannot leave in order.
type Outputs struct {
	// PrintedStdout takes what the plugin prints on its os.Stdout. Nil: it is
	// dropped. In go-plugin it is SyncStdout.
	PrintedStdout io.Writer

	// PrintedStderr takes what the plugin prints on its os.Stderr while it serves.
	// Nil: it is dropped. In go-plugin it is SyncStderr; the Stderr there is RawLog.
	PrintedStderr io.Writer

	// RawLog takes a copy of every byte on the standard error of the process, as it
	// stands: the plugin's log, which Config.Logger gets as records, and what a
	// crash writes. Nil: none. In go-plugin it is Stderr.
	RawLog io.Writer

	// PlainLevel is the level of log lines that name none, and are in the form of no
	// known logger. The zero value is slog.LevelInfo.
	PlainLevel slog.Level

	// MaxLogLine is the longest log line that is kept whole, in bytes; a longer
	// one becomes several records. 0 means DefaultMaxLogLine.
	MaxLogLine int

	// MaxNoise is how many bytes a plugin may print on stdout before its
	// handshake line. They are logged and skipped. 0 means DefaultMaxNoise;
	// below 0 there may be none.
	MaxNoise int
}

// Sockets are where a host and its plugin meet, and who else may be there.
type Sockets struct {
	// Dirs are directories of which the first that is fit for it gets a
	// private directory for the plugin's sockets: its path is short enough, and no
	// other user can rename what is in it or above it. Links in it are followed,
	// and the plugin gets the path without them. Nil: on Linux TMPDIR and
	// XDG_RUNTIME_DIR if they are set, then /dev/shm, since a socket on disk takes
	// longer to make, then /tmp; elsewhere the system's directory for temporary
	// files, and /tmp.
	Dirs []string

	// User is the name or the number of the user that the plugin runs as, if
	// that is another one and Command.SysProcAttr does not say so: if a wrapper
	// (sudo) or a runner that isolates changes it. The plugin's directory is given
	// to that user, which takes a host that is root (otherwise both need a
	// Group), and its processes may be at the other end of the plugin's
	// sockets; on Linux and macOS those of other users are refused there, whatever
	// the modes of the files say, but for this one and root. In a user namespace
	// the number is the one that this process sees. Empty: what
	// Command.SysProcAttr says, else this user.
	User string

	// Group is the name or the number of a group whose members may use the
	// plugin's sockets (protocol §1), for a plugin that runs as another user: its
	// directory gets mode 0770, the sockets of both sides 0660, and all of them
	// the group. This process must be root or a member of the group, and the
	// plugin too. Its members can then call the plugin and stand in for it,
	// unless AutoMTLS is on. Empty: only this user may. Where there are no unix
	// sockets (Windows) it does nothing.
	//
	// What stands above the directory must let the group pass. So without
	// Dirs, XDG_RUNTIME_DIR is left out on Linux, and elsewhere it is /tmp.
	Group string

	// MinPort and MaxPort are the range, inclusive, of ports for a plugin that
	// listens on TCP. Both 0: 10000 to 25000.
	MinPort, MaxPort int

	// RefusePlainTCP refuses a plugin that listens on TCP, as plugins on Windows
	// and some in other languages do, unless the connection is under TLS: every
	// user of the machine could call it. The launch then fails with
	// [ErrPlainTCP]. False: such a plugin is used, with a warning in the log.
	RefusePlainTCP bool
}

// Timeouts bound what takes time in the life of a plugin.
type Timeouts struct {
	// Start bounds a launch, from the call of Launch, verification included, to
	// the plugin's first sign of life. 0 means DefaultStartTimeout; below 0 only
	// the context does.
	Start time.Duration

	// Stop is how long a plugin that was asked to leave may take before it is
	// killed. 0 means DefaultStopTimeout; below 0 it is killed unasked.
	Stop time.Duration

	// Kill bounds the wait for a killed process to be gone. 0 means
	// DefaultKillTimeout.
	Kill time.Duration

	// Connection bounds how long the host waits for a brokered connection that it
	// serves to be secured and to begin. 0 means core.DefaultConnectionTimeout.
	Connection time.Duration

	// ExitGrace is how long a call that failed with its connection waits for
	// news of the process, to say why; and how long a connection that outlives
	// the process, in the hands of a child of its, is still read. 0 means
	// DefaultExitGrace; below 0 neither happens.
	ExitGrace time.Duration
}

func (c Config) validate() error {
	err := errors.Join(c.Handshake.Validate(), c.Versions.Validate())
	if c.Command.Path == "" && c.Runner == nil {
		err = errors.Join(err, errors.New("there is nothing to launch: neither a Config.Command with a Path nor a Config.Runner"))
	}
	return errors.Join(err, c.Command.validate(), c.validateVerify(), c.validateSecurity(),
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

// withDefaults returns a copy that shares nothing changeable with c.
func (c Config) withDefaults() Config {
	c.Versions = c.Versions.Clone()
	c.Command = c.Command.clone()
	c.Sockets.Dirs = slices.Clone(c.Sockets.Dirs)
	c.Verify.Dirs = slices.Clone(c.Verify.Dirs)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
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
