// Package jsonlines is a transport that is neither net/rpc nor gRPC, written
// outside core and against core alone: a JSON object a line, both ways, over one
// connection. It shows what a transport has to do, and passes the suite that all
// transports pass (core/transporttest); it has no broker, so nothing can call
// back.
//
// What the host sends is a request, or the end of its interest in one:
//
//	{"id":1,"plugin":"shout","method":"Shout","params":"hello"}
//	{"cancel":1}
//
// What the plugin sends is an answer, in any order, or something that it printed,
// in base64:
//
//	{"id":1,"result":"HELLO"}
//	{"id":2,"error":"there is nothing to shout"}
//	{"stdout":"YSBwcmludGVkIGxpbmUK"}
//
// The methods Ping, Plugins and Quit of the plugin "" are the transport's own.
//
// The connection has no flow control beside its own: a host that shows output
// slowly gets its answers late.
package jsonlines

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"sync"

	"github.com/jackfield-go/jackfield/core"
)

// Protocol is the name of the transport in the handshake line.
const Protocol core.Protocol = "jsonlines"

// Bounds of what one side takes from the other.
const (
	maxLine  = 16 << 20 // bytes
	maxCalls = 1024     // at a time
)

// Plugin is a plugin that a transport carries; Carry makes it.
type Plugin struct {
	name    string
	methods func(bound core.Implementations) map[string]Method // nil without an implementation
	client  func(c *Client) any
}

// Carry carries p. The plugin answers with the methods of its implementation, and
// the host calls what client makes.
func Carry[S, C any](p core.Plugin[S, C], methods func(impl S) map[string]Method, client func(c *Client) C) Plugin {
	return Plugin{
		name: p.Name(),
		methods: func(bound core.Implementations) map[string]Method {
			impl, ok := p.Implementation(bound)
			if !ok {
				return nil
			}
			return methods(impl)
		},
		client: func(c *Client) any { return client(c) },
	}
}

// Method answers one call. Its context ends when the caller has lost interest, or
// with the connection. [Func] makes one of a function with types.
type Method func(ctx context.Context, params json.RawMessage) (result any, err error)

// Func makes a method of f. Params and result are whatever encoding/json takes.
func Func[P, R any](f func(ctx context.Context, params P) (R, error)) Method {
	return func(ctx context.Context, raw json.RawMessage) (any, error) {
		var params P
		if err := json.Unmarshal(raw, &params); err != nil {
			return nil, fmt.Errorf("the params of the call: %w", err)
		}
		return f(ctx, params)
	}
}

// Transport is the transport of a set of plugins. It has no state: the connections
// have.
type Transport struct{ plugins []Plugin }

var _ core.Transport = (*Transport)(nil)

// New returns a transport that carries plugins.
func New(plugins ...Plugin) *Transport { return &Transport{slices.Clone(plugins)} }

// Protocol returns the name.
func (*Transport) Protocol() core.Protocol { return Protocol }

// HostEnv sets nothing: this transport has no choices to tell a plugin of.
func (*Transport) HostEnv(func(key, value string)) {}

// Names returns the names of the plugins that bound implements.
func (t *Transport) Names(bound core.Implementations) []string {
	return slices.Sorted(maps.Keys(t.methods(bound)))
}

// methods are those of the plugins that bound implements, by the plugins' names.
func (t *Transport) methods(bound core.Implementations) map[string]map[string]Method {
	methods := make(map[string]map[string]Method)
	for _, p := range t.plugins {
		if served := p.methods(bound); served != nil {
			methods[p.name] = served
		}
	}
	return methods
}

// The methods of the transport itself.
const (
	methodPing    = "Ping"
	methodPlugins = "Plugins"
	methodQuit    = "Quit"
)

// request is what a host sends.
type request struct {
	ID     uint64          `json:"id,omitempty"`
	Plugin string          `json:"plugin,omitempty"`
	Method string          `json:"method,omitempty"`
	Params json.RawMessage `json:"params,omitempty"`
	Cancel uint64          `json:"cancel,omitempty"`
}

// response is what a plugin sends.
type response struct {
	ID     uint64          `json:"id,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  string          `json:"error,omitempty"`
	Stdout []byte          `json:"stdout,omitempty"`
	Stderr []byte          `json:"stderr,omitempty"`
}

// lines is a connection. One goroutine receives, any send.
type lines struct {
	conn    net.Conn
	scanner *bufio.Scanner

	mu      sync.Mutex // held while a line is sent
	encoder *json.Encoder
}

func newLines(conn net.Conn) *lines {
	scanner := bufio.NewScanner(conn)
	scanner.Buffer(nil, maxLine)
	return &lines{conn: conn, scanner: scanner, encoder: json.NewEncoder(conn)}
}

// send sends message as a line.
func (l *lines) send(message any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.encoder.Encode(message)
}

// receive decodes the next line into message. The end of the connection is io.EOF.
func (l *lines) receive(message any) error {
	if l.scanner.Scan() {
		return json.Unmarshal(l.scanner.Bytes(), message)
	}
	if err := l.scanner.Err(); err != nil {
		return err
	}
	return io.EOF
}
