package host

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"

	"github.com/jackfield-go/jackfield/core/runner"
)

// Cmd is a program to run as a plugin, with everything its process gets. It is
// to [Command] as exec.Cmd is to exec.Command.
type Cmd struct {
	// Path is the program. Without a path separator it is searched in PATH;
	// otherwise, if relative, it is relative to Dir.
	Path string

	// Args are the arguments, without the program's name.
	Args []string

	// Dir is the working directory. Empty: that of this process.
	Dir string

	// Inherit chooses the plugin's part of the host's environment: everything (the zero value), all
	// but a few variables, a few, or nothing. The variables of the plugin protocol itself are never
	// inherited, not even by name. A host that is a plugin too has them, its certificate among
	// them.
	Inherit Inherit

	// Env are further variables, "KEY=value"; they win over inherited ones. Unlike in exec.Cmd they
	// do not replace the inherited variables; Inherit restricts those. The host's own variables of
	// the plugin protocol ([handshake.Names]) are left out, so a host that is a plugin too may
	// append to os.Environ(). With other values they are refused.
	Env []string

	// Stdin is the plugin's standard input. Nil: none. With os.Stdin the plugin
	// shares the host's, and its terminal. A goroutine copies any other reader;
	// a blocking Read keeps it beyond the plugin's end.
	Stdin io.Reader

	// SysProcAttr are the platform's attributes of the process. Nil: none.
	SysProcAttr *syscall.SysProcAttr

	// Group gives the plugin a process group of its own; on Windows a job. The signals of
	// Timeouts go to the whole group then, and the plugin's end is the end of its children
	// in the group. A terminal's Ctrl-C and Ctrl-Z do not reach the group, and the plugin
	// cannot read from the terminal, unless [Client.WithTerminal] lends it. False: the plugin is in the host's group, as with
	// go-plugin, and its children are left alone.
	Group bool

	// Outlive permits the plugin to outlive the host, also if the host becomes another
	// program by exec(3). A plugin of this library does if its
	// plugin.Config says so too; another plugin lives on. False: the plugin leaves when
	// the host has died, and its Group with it, within two seconds. A plugin of another
	// library or language is ended by the system, where it can; see
	// [runner.Command].
	Outlive bool
}

// Command describes a program to run as a plugin. A name without a path separator is searched in
// PATH. Fields of the result set the environment, the working directory and the standard input.
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

// command returns the runner's command.
func (l *launch) command() runner.Command {
	c := l.cfg.Command
	return runner.Command{
		Path:        c.Path,
		Args:        c.Args,
		Dir:         c.Dir,
		Env:         l.environment(),
		Stdin:       c.Stdin,
		SysProcAttr: c.SysProcAttr,
		Group:       c.Group,
		Outlive:     c.Outlive,
		SocketDir:   l.sockets.path(),
	}
}
