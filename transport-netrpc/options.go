package transportnetrpc

import (
	"context"
	"net"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/transport-netrpc/rpc"
	"github.com/jackfield-go/jackfield/yamux"
)

// Defaults of [WithMaxMessageSize], in bytes, of [WithMaxConcurrentCalls], and of
// [WithMaxServed].
const (
	DefaultMaxServed          = 8192
	DefaultMaxMessageSize     = rpc.DefaultMaxMessageSize
	DefaultMaxConcurrentCalls = rpc.DefaultMaxConcurrentCalls
)

// Option is a setting of a transport: a plugin to carry, or a limit.
type Option interface {
	apply(o *options)
}

type optionFunc func(o *options)

func (f optionFunc) apply(o *options) { f(o) }

type options struct {
	carried    []carried
	yamux      yamux.Config
	broker     broker.Config
	maxCalls   int
	maxServed  int
	maxMessage int // bytes
}

// maxControlMessage bounds the messages of the services Control and Dispenser, in
// bytes, in both directions: names, IDs, and the text of an error.
const maxControlMessage = 128 << 10

// serve answers calls over conn; see [rpc.Serve].
func (o options) serve(ctx context.Context, conn net.Conn, services map[string]*rpc.Service, calls *core.Calls) error {
	return rpc.Serve(ctx, conn, services,
		rpc.ServerConfig{MaxMessageSize: o.maxMessage, MaxConcurrentCalls: o.maxCalls, Calls: calls})
}

// WithYamux sets the bounds of the multiplexed connection: windows, backlog,
// keep-alive. Yamux's defaults send no keep-alive: the end of the other side
// closes a local connection, and a debugger may stop the other side for any time.
func WithYamux(cfg yamux.Config) Option {
	return optionFunc(func(o *options) { o.yamux = cfg })
}

// WithBroker sets the bounds of the broker: the number of connections not yet
// accepted, and their timeout. The fields of the prefixed scheme count.
func WithBroker(cfg broker.Config) Option {
	return optionFunc(func(o *options) { o.broker = cfg })
}

// WithMaxConcurrentCalls bounds how many calls of one connection run at a time;
// further ones wait on the wire. n below 1 means [DefaultMaxConcurrentCalls].
func WithMaxConcurrentCalls(n int) Option {
	return optionFunc(func(o *options) { o.maxCalls = n })
}

// WithMaxServed limits the connections to a side's objects, dispensed and lent, at a
// time for each session. A further Dispense is an error, and a further connection is
// reset. The same limit holds for dispensed objects without a client; above it the
// oldest is dropped. n below 1 means [DefaultMaxServed].
func WithMaxServed(n int) Option {
	return optionFunc(func(o *options) { o.maxServed = n })
}

// WithMaxMessageSize limits an incoming message, in bytes of gob: the arguments of a
// call, or its answer. n below 1 means [DefaultMaxMessageSize].
//
// A larger message is a [MessageSizeError] at its announcement, before memory is
// allocated for it. The message is not read, so its connection ends: the connection
// of one dispensed or brokered object, not the session. A side answering calls can
// only log this; the caller's error is [core.ErrConnectionLost].
//
// Whatever n is, gob takes at most 8 GiB, on 32-bit machines 1 GiB. Data of lent
// readers and writers is not limited. Fixed limits are 64 KiB for the header of a
// request, 128 KiB for the messages of Ping, Dispense and Quit, and 1 MiB for the
// type definitions of a connection.
func WithMaxMessageSize(n int) Option {
	return optionFunc(func(o *options) { o.maxMessage = n })
}
