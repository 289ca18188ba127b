package host

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"

	"github.com/jackfield-go/jackfield/core/runner"
)

// Cmd is a program to run as a plugin, and what its process gets. It is to
// [Command] as exec.Cmd is to exec.Command.
type Cmd struct {
	// Path is the program. Without a path separator it is looked for in PATH;
	// otherwise, if relative, it is relative to Dir.
	Path string

	// Args are the arguments, without the program's name.
	Args []string

	// Dir is the working directory. Empty: that of this process.
	Dir string

	// Inherit chooses what the plugin gets of the host's environment: everything
	// (the zero value), all but a few, a few, or nothing. The variables of the plugin
	// protocol itself, which a host has that is a plugin too, its certificate
	// among them, are never inherited, not even by name.
	Inherit Inherit

	// Env are variables beside the inherited ones, "KEY=value", and win over them.
	// Unlike in exec.Cmd they do not replace what is inherited: that is what Inherit
	// is for. The variables of the plugin protocol ([handshake.Names]) are left out if
	// they are the host's own, so that a host that is a plugin too may append to
	// os.Environ(); with other values they are refused.
	Env []string

	// Stdin is the plugin's standard input. Nil: none. With os.Stdin the plugin
	// shares the host's, and its terminal; any other reader is copied, by a
	// goroutine that a Read which blocks keeps beyond the plugin's end.
	Stdin io.Reader

	// SysProcAttr are attributes of the process, as the platform has them. Nil: none.
	SysProcAttr *syscall.SysProcAttr
}

// Command describes a program to run as a plugin. A name without a path
// separator is looked for in PATH. The fields of the result say more: what it gets
// of the environment, its working directory, its standard input.
func Command(path string, args ...string) Cmd {
	return Cmd{Path: path, Args: slices.Clone(args)}
}

func (c Cmd) clone() Cmd {
	c.Args = slices.Clone(c.Args)
	c.Env = slices.Clone(c.Env)
	return c
}

func (c Cmd) validate() error {
	for _, variable := range c.Env {
		if isProtocols(variable) && !isOwn(variable) {
			name, _, _ := strings.Cut(variable, "=")
			return fmt.Errorf("the setting Config.Command.Env sets %s, which the plugin protocol sets: "+
				"leave it out, and use the setting for it (AutoMTLS, Sockets, an option of the transport)", name)
		}
	}
	return nil
}

// command is what the runner gets.
func (l *launch) command() runner.Command {
	c := l.cfg.Command
	return runner.Command{
		Path:        c.Path,
		Args:        c.Args,
		Dir:         c.Dir,
		Env:         l.environment(),
		Stdin:       c.Stdin,
		SysProcAttr: c.SysProcAttr,
		SocketDir:   l.sockets.path(),
	}
}
