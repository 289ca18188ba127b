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

// Option says what a transport carries, and how.
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
// keep-alive. Without it yamux's defaults hold, which send no keep-alive: the
// other side's end closes a local connection, and a debugger may stop it for
// as long as it takes.
func WithYamux(cfg yamux.Config) Option {
	return optionFunc(func(o *options) { o.yamux = cfg })
}

// WithBroker sets the bounds of the broker: how long connections wait for somebody
// to accept them, and how many do. The fields of the prefixed scheme count.
func WithBroker(cfg broker.Config) Option {
	return optionFunc(func(o *options) { o.broker = cfg })
}

// WithMaxConcurrentCalls bounds how many calls of one connection run at a time;
// further ones wait on the wire. n below 1 means [DefaultMaxConcurrentCalls].
func WithMaxConcurrentCalls(n int) Option {
	return optionFunc(func(o *options) { o.maxCalls = n })
}

// WithMaxServed limits how many connections to its objects a side serves at a time,
// for each session: to dispensed objects and to lent ones. A further Dispense is an
// error, and a further connection is reset. As many objects may be dispensed that no
// client has dialled; above that the oldest goes. n below 1 means [DefaultMaxServed].
func WithMaxServed(n int) Option {
	return optionFunc(func(o *options) { o.maxServed = n })
}

// WithMaxMessageSize bounds how large a message may be that this side takes, in
// bytes of gob: the arguments of a call, or what it answers. A larger one is a
// [MessageSizeError] as soon as it is announced, before there is memory for any
// of it, and ends its connection, as it is not read past: that of one dispensed
// or brokered object, not the session. A side that answers calls can only log
// that; the caller's error is [core.ErrConnectionLost]. n below 1 means
// [DefaultMaxMessageSize]; gob itself takes no more than 8 GiB, on 32-bit machines
// 1 GiB, whatever n is. What passed readers and writers carry is not bounded.
//
// Bounds that n does not change: 64 KiB for the header of a request, 128 KiB for
// the messages of Ping, Dispense and Quit, and 1 MiB for the types that a
// connection defines.
func WithMaxMessageSize(n int) Option {
	return optionFunc(func(o *options) { o.maxMessage = n })
}
