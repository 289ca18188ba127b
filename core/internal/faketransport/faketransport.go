// Package faketransport is a minimal transport to launch plugins in core's own
// tests: lines of text over the plugin's socket. It is not meant to be fast, or
// for other users.
//
// A host makes three connections and names each in its first line: control,
// stdout, stderr. On the latter two the plugin answers with a newline before
// its output. On control a request is "NUMBER VERB ARGUMENTS", and its answer
// "NUMBER ok TEXT" or "NUMBER error TEXT", in any order; texts are quoted as in
// Go.
package faketransport

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"

	"github.com/jackfield-go/jackfield/core"
)

// Protocol is the name in the handshake line.
const Protocol core.Protocol = "fake"

// Object is a plugin's service under a name.
type Object func(ctx context.Context, argument string) (string, error)

// Transport is the transport. The zero value is a host's.
type Transport struct {
	// Name is the protocol's name; empty means [Protocol].
	Name core.Protocol
	// Objects are the plugin's services.
	Objects map[string]Object
	// Extra are the plugin's handshake fields from the seventh on.
	Extra []string
	// Variables are the host's variables for the plugin.
	Variables map[string]string
	// Failure is the error of Dial and NewServer, if set.
	Failure error
	// Seen gets the link passed to NewServer, if set.
	Seen func(core.PluginLink)
}

var _ core.Transport = (*Transport)(nil)

// Versions offers a transport under each of the versions.
func Versions(t *Transport, versions ...int) core.Versions {
	v := make(core.Versions, len(versions))
	for _, number := range versions {
		v[number] = []core.Transport{t}
	}
	return v
}

// Protocol returns the name.
func (t *Transport) Protocol() core.Protocol {
	if t.Name != "" {
		return t.Name
	}
	return Protocol
}

// HostEnv sets the transport's variables.
func (t *Transport) HostEnv(set func(key, value string)) {
	for key, value := range t.Variables {
		set(key, value)
	}
}

// The connections, by their first lines.
const (
	control = "control"
	stdout  = "stdout"
	stderr  = "stderr"
)

// errProtocol is the error of a side that does not speak this transport.
var errProtocol = errors.New("not a message of the fake transport")

// split takes the number off a line.
func split(line string) (number int, rest string, err error) {
	head, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	if number, err = strconv.Atoi(head); err != nil {
		return 0, "", errProtocol
	}
	return number, rest, nil
}

// dialer makes one of a host's connections.
type dialer func(ctx context.Context, name string) (net.Conn, error)
