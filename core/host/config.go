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

// Config describes a plugin and how to run it. It is never modified: one value
// serves any number of launches, also at the same time, as far as the writers
// and the reader in it do.
type Config struct {
	// Handshake is how the plugin knows its host. Required.
	Handshake core.Handshake

	// Versions are the application versions that the host speaks, each with
	// the transports that it accepts. Required.
	Versions core.Versions

	// Command is the program to run, see [Command]. Required. Its Env,
	// Stdin and SocketDir are set by the launch.
	Command runner.Command

	// Verify decides whether the program may run: [Checksum], [SumsFile], or a
	// [VerifyFunc] for signatures. It is shown a private copy of the program, and
	// that copy is what runs, so that neither an exchange of the file nor a write
	// into it can get between the look and the start. Nil: whatever is there runs.
	//
	// The plugin's argument 0 stays what Command says. Its os.Executable is the
	// copy, which on Linux may be in memory and have no path; a plugin that looks
	// for files beside its program needs to be told where they are. With a Runner of
	// the caller's own, the command that this gets has the path of a copy.
	// Command.SysProcAttr must not have a Chroot.
	Verify Verifier

	// Programs keeps the copies of verified programs, so that launches after the
	// first are as fast as without Verify. Nil: each launch makes its own.
	Programs *ProgramCache

	// ProgramDirs are directories of which the first that is fit for it gets the
	// copies of verified programs, as files; see [runner.SealConfig]. Without
	// Verify they are refused. Empty: on Linux
	// a program of up to [runner.MaxMemoryCopy] bytes is copied into memory; larger
	// ones and scripts there, and everything elsewhere, into the system's directory
	// for temporary files, or the user's for caches; a larger one for which neither
	// is fit into memory, too.
	ProgramDirs []string

	// Runner makes what runs the command. Nil: a child process of this one.
	//
	// A plugin that is a child process is connected to on this machine alone:
	// with a [runner.Process], also from a Runner function, an address that it
	// names on another machine is a *[core.AddressError]. Any other runner
	// decides for itself, in PluginToHost, what is connected to.
	Runner func(runner.Command) (runner.Runner, error)

	// Name is what errors and logs call the plugin. Empty: the runner's name
	// for it, which is the last element of the command's path.
	Name string

	// Inherit chooses what the plugin gets of the host's environment: everything
	// (the zero value), all but a few, a few, or nothing. The variables of the plugin
	// protocol itself, which a host has that is a plugin too, its certificate
	// among them, are never inherited, not even by name.
	Inherit Inherit

	// Env are further variables, "KEY=value". They win over inherited ones.
	Env []string

	// Stdin is the plugin's standard input. Nil: none. With os.Stdin the plugin
	// shares the host's, and its terminal; any other reader is copied, by a
	// goroutine that a Read which blocks keeps beyond the plugin's end.
	Stdin io.Reader

	// Stdout and Stderr take what the plugin prints on its os.Stdout and
	// os.Stderr. Nil: it is dropped. Each is written to by one goroutine. While
	// one blocks, so does the plugin when it prints, and it cannot leave in
	// order.
	Stdout, Stderr io.Writer

	// Logger takes the plugin's log, and what the library has to say: debug
	// while all is well. Nil: neither is logged. Levels below debug are
	// [core.LevelTrace].
	Logger *slog.Logger

	// RawLog takes a copy of every byte that the plugin writes to its log, as it
	// stands. Nil: none. It holds the plugin up while it blocks.
	RawLog io.Writer

	// MaxLogLine is the longest log line that is kept whole, in bytes; a longer
	// one becomes several records. 0 means DefaultMaxLogLine.
	MaxLogLine int

	// MaxNoise is how many bytes a plugin may print on stdout before its
	// handshake line. They are logged and skipped. 0 means DefaultMaxNoise;
	// below 0 there may be none.
	MaxNoise int

	// AutoMTLS makes the host and the plugin prove to each other who they are,
	// with certificates for this one launch, on all their connections: off,
	// preferred or required. The zero value is MTLSOff; a host that chooses its
	// plugins has no reason not to take MTLSRequired.
	AutoMTLS MTLS

	// TLS provides configurations of the application's own instead, for plugins
	// that have some, too ([core.TLSFiles], plugin.Config.TLS). The Client one dials
	// the plugin and what it serves through a broker; the Server one serves what
	// the plugin dials there. Nil: none. It cannot be combined with AutoMTLS.
	TLS core.TLSProvider

	// RefusePlainTCP refuses a plugin that listens on TCP, as plugins on Windows
	// and some in other languages do, unless the connection is under TLS: every
	// user of the machine could call it. The launch then fails with
	// [ErrPlainTCP]. False: such a plugin is used, with a warning in the log.
	RefusePlainTCP bool

	// SocketDirs are directories of which the first that is fit for it gets a
	// private directory for the plugin's sockets: its path is short enough, and no
	// other user can rename what is in it or above it. Links in it are followed,
	// and the plugin gets the path without them. Nil: on Linux TMPDIR and XDG_RUNTIME_DIR if they are set, then
	// /dev/shm, since a socket on disk takes longer to make, then /tmp;
	// elsewhere the system's directory for temporary files, and /tmp.
	SocketDirs []string

	// SocketUser is the name or the number of the user that the plugin runs as, if
	// that is another one and Command.SysProcAttr does not say so: if a wrapper
	// (sudo) or a runner that isolates changes it. The plugin's directory is given
	// to that user, which takes a host that is root (otherwise both need a
	// SocketGroup), and its processes may be at the other end of the plugin's
	// sockets; on Linux and macOS those of other users are refused there, whatever
	// the modes of the files say, but for this one and root. In a user namespace
	// the number is the one that this process sees. Empty: what
	// Command.SysProcAttr says, else this user.
	SocketUser string

	// SocketGroup is the name or the number of a group whose members may use the
	// plugin's sockets (protocol §1), for a plugin that runs as another user: its
	// directory gets mode 0770, the sockets of both sides 0660, and all of them
	// the group. This process must be root or a member of the group, and the
	// plugin too. Its members can then call the plugin and stand in for it,
	// unless AutoMTLS is on. Empty: only this user may. Where there are no unix
	// sockets (Windows) it does nothing.
	//
	// What stands above the directory must let the group pass. So without
	// SocketDirs, XDG_RUNTIME_DIR is left out on Linux, and elsewhere it is /tmp.
	SocketGroup string

	// MinPort and MaxPort are the range, inclusive, of ports for a plugin that
	// listens on TCP. Both 0: 10000 to 25000.
	MinPort, MaxPort int

	// StartTimeout bounds a launch, from the call of Launch, verification
	// included, to the plugin's first sign of life. 0 means DefaultStartTimeout; below 0 only the context does.
	StartTimeout time.Duration

	// ConnectionTimeout bounds how long the host waits for a brokered connection
	// that it serves to be secured and to begin. 0 means
	// core.DefaultConnectionTimeout.
	ConnectionTimeout time.Duration

	// StopTimeout is how long a plugin that was asked to leave may take before
	// it is killed. 0 means DefaultStopTimeout; below 0 it is killed unasked.
	StopTimeout time.Duration

	// KillTimeout bounds the wait for a killed process to be gone. 0 means
	// DefaultKillTimeout.
	KillTimeout time.Duration

	// ExitGrace is how long a call that failed with its connection waits for
	// news of the process, to say why; and how long a connection that outlives
	// the process, in the hands of a child of its, is still read. 0 means
	// DefaultExitGrace; below 0 neither happens.
	ExitGrace time.Duration
}

// Command describes a program to run as a plugin. A name without a path
// separator is looked for in PATH. More can be set in the result: the working
// directory, attributes of the process.
func Command(path string, args ...string) runner.Command {
	return runner.Command{Path: path, Args: slices.Clone(args)}
}

func (c Config) validate() error {
	err := errors.Join(c.Handshake.Validate(), c.Versions.Validate())
	if c.Command.Path == "" && c.Runner == nil {
		err = errors.Join(err, errors.New("there is nothing to launch: neither a Config.Command with a Path nor a Config.Runner"))
	}
	err = errors.Join(err, c.validateVerify(), c.validateSecurity())
	if c.MinPort < 0 || c.MaxPort > 65535 || c.MinPort > c.MaxPort {
		err = errors.Join(err, fmt.Errorf("the range from Config.MinPort %d to Config.MaxPort %d is none of ports", c.MinPort, c.MaxPort))
	}
	if c.MaxLogLine < 0 {
		err = errors.Join(err, fmt.Errorf("the setting Config.MaxLogLine is negative: %d", c.MaxLogLine))
	}
	if c.ConnectionTimeout < 0 {
		err = errors.Join(err, fmt.Errorf("the setting Config.ConnectionTimeout is negative: %v", c.ConnectionTimeout))
	}
	if c.KillTimeout < 0 {
		err = errors.Join(err, fmt.Errorf("the setting Config.KillTimeout is negative: %v", c.KillTimeout))
	}
	return err
}

// withDefaults returns a copy that shares nothing changeable with c.
func (c Config) withDefaults() Config {
	c.Versions = c.Versions.Clone()
	c.Env = slices.Clone(c.Env)
	c.SocketDirs = slices.Clone(c.SocketDirs)
	c.ProgramDirs = slices.Clone(c.ProgramDirs)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Stdout == nil {
		c.Stdout = io.Discard
	}
	if c.Stderr == nil {
		c.Stderr = io.Discard
	}
	if c.Runner == nil {
		c.Runner = func(cmd runner.Command) (runner.Runner, error) { return runner.NewProcess(cmd), nil }
	}
	setDefault(&c.StartTimeout, DefaultStartTimeout)
	setDefault(&c.ConnectionTimeout, core.DefaultConnectionTimeout)
	setDefault(&c.StopTimeout, DefaultStopTimeout)
	setDefault(&c.KillTimeout, DefaultKillTimeout)
	setDefault(&c.ExitGrace, DefaultExitGrace)
	setDefault(&c.MaxNoise, DefaultMaxNoise)
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
