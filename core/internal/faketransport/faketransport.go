// Package faketransport is the smallest transport that core's own tests can
// launch plugins with: lines of text over the plugin's socket. It is not meant
// to be fast, or for anybody else.
//
// A host makes three connections and names each in its first line: control,
// stdout, stderr; the plugin answers the latter two with a newline before what
// was printed. On control a request is "NUMBER VERB ARGUMENTS", and the
// answer to it "NUMBER ok TEXT" or "NUMBER error TEXT", in any order; texts are
// quoted as in Go.
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

// Object is what a plugin serves under a name.
type Object func(ctx context.Context, argument string) (string, error)

// Transport is the transport. The zero value is a host's.
type Transport struct {
	// Name is the protocol's name; empty means [Protocol].
	Name core.Protocol
	// Objects are what a plugin serves.
	Objects map[string]Object
	// Extra are handshake fields of the plugin's, from the seventh on.
	Extra []string
	// Variables are what a host announces.
	Variables map[string]string
	// Failure is what Dial and Listen answer, if it is set.
	Failure error
	// Seen gets the link that Listen was called with, if it is set.
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

// errProtocol says that the other side does not speak this transport.
var errProtocol = errors.New("not what a fake transport says")

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
