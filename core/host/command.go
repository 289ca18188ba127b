package host

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/jackfield-go/jackfield/core/handshake"
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

// startedWith are the variables of the plugin protocol that this process was started
// with. A plugin unsets them when it serves, but a copy of its environment that was
// made before has them.
var startedWith = slices.DeleteFunc(os.Environ(), func(variable string) bool { return !isProtocols(variable) })

func isProtocols(variable string) bool { return len(handshake.Strip([]string{variable})) == 0 }

// isOwn reports whether a variable of the protocol is this process's own, which its
// host has set.
func isOwn(variable string) bool {
	name, value, _ := strings.Cut(variable, "=")
	now, ok := os.LookupEnv(name)
	return ok && now == value || slices.Contains(startedWith, variable)
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

// Inherit is what a plugin gets of the host's environment. The zero value is
// [InheritAll].
type Inherit struct {
	restricted bool // names are what is passed; otherwise what is not
	names      []string
}

// InheritAll passes the whole environment on.
func InheritAll() Inherit { return Inherit{} }

// InheritOnly passes on the named variables that exist; without names, none. On
// Windows SYSTEMROOT is always passed, since hardly anything starts without.
func InheritOnly(names ...string) Inherit {
	return Inherit{restricted: true, names: slices.Clone(names)}
}

// InheritAllBut passes on the whole environment without the named variables, for
// the secrets of the host's own.
func InheritAllBut(names ...string) Inherit {
	return Inherit{names: slices.Clone(names)}
}

// pick returns what is passed of environ.
func (i Inherit) pick(environ []string) []string {
	var picked []string
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		named := slices.ContainsFunc(i.names, func(n string) bool { return sameVariable(n, name) })
		if named == i.restricted {
			picked = append(picked, variable)
		}
	}
	return picked
}

// environment is the plugin's: what it inherits, what the configuration adds,
// and last, so that it wins, the protocol (§1).
func (l *launch) environment() []string {
	c := l.cfg
	env := handshake.Strip(c.Command.Inherit.pick(os.Environ()))
	env = append(env, handshake.Strip(c.Command.Env)...)
	env = append(env, c.Handshake.MagicCookieKey+"="+c.Handshake.MagicCookieValue)
	told := handshake.Environment{
		Versions:    c.Versions.Numbers(),
		MinPort:     c.Sockets.MinPort,
		MaxPort:     c.Sockets.MaxPort,
		SocketDir:   l.sockets.path(),
		SocketGroup: c.Sockets.Group,
		Fields:      []string{handshake.FieldVersions},
	}
	if l.identity != nil {
		told.ClientCert = l.identity.PEM()
	}
	env = append(env, told.Variables()...)
	for _, number := range c.Versions.Numbers() {
		for _, transport := range c.Versions[number] {
			transport.HostEnv(func(key, value string) { env = append(env, key+"="+value) })
		}
	}
	return env
}
