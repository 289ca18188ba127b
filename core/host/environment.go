package host

import (
	"os"
	"slices"
	"strings"

	"github.com/jackfield-go/jackfield/core/handshake"
)

// Inherit chooses the plugin's part of the host's environment. The zero value
// is [InheritAll].
type Inherit struct {
	restricted bool // names are the passed variables; otherwise the excluded ones
	names      []string
}

// InheritAll passes the whole environment on.
func InheritAll() Inherit { return Inherit{} }

// InheritOnly passes on the named variables that exist; without names, none. On
// Windows SYSTEMROOT is always passed, since hardly any program starts without
// it.
func InheritOnly(names ...string) Inherit {
	return Inherit{restricted: true, names: slices.Clone(names)}
}

// InheritAllBut passes on the whole environment without the named variables,
// such as the host's secrets.
func InheritAllBut(names ...string) Inherit {
	return Inherit{names: slices.Clone(names)}
}

// pick returns the variables of environ to pass on.
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

// environment returns the plugin's environment: the inherited variables, those
// of the configuration, and last, so that they win, those of the protocol (§1).
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
		Fields:      append([]string{handshake.FieldVersions}, handshake.AboutFields()...),
		FieldsFor:   c.Handshake.MagicCookieKey,
		Lifeline:    l.sockets.lifeline(c.Logger),
		Outlive:     c.Command.Outlive,
	}
	if l.identity != nil {
		told.ClientCert = l.identity.PEM()
	}
	var transports []string
	for _, number := range c.Versions.Numbers() {
		for _, transport := range c.Versions[number] {
			transport.HostEnv(func(key, value string) {
				if key == handshake.EnvFields { // the names of all who ask, each once
					told = told.Asking(value)
					return
				}
				transports = append(transports, key+"="+value)
			})
		}
	}
	env = append(env, told.Variables()...)
	return append(env, transports...)
}

// startedWith are the variables of the plugin protocol at this process's start. A plugin unsets
// them when it serves, but an earlier copy of its environment has them.
var startedWith = slices.DeleteFunc(os.Environ(), func(variable string) bool { return !isProtocols(variable) })

func isProtocols(variable string) bool { return len(handshake.Strip([]string{variable})) == 0 }

// isOwn reports whether a variable of the protocol is this process's own, set by its host.
func isOwn(variable string) bool {
	name, value, _ := strings.Cut(variable, "=")
	now, ok := os.LookupEnv(name)
	return ok && now == value || slices.Contains(startedWith, variable)
}
