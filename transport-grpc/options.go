package transportgrpc

import (
	"log/slog"
	"math"
	"time"

	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/yamux"
)

// DefaultMaxMessageSize is how many bytes a message may have, in either
// direction, unless [WithMaxMessageSize] says otherwise: 1 GiB.
const DefaultMaxMessageSize = 1 << 30

// DefaultMaxConcurrentCalls is how many calls a server runs at a time for each
// connection, unless [WithMaxConcurrentCalls] says otherwise.
const DefaultMaxConcurrentCalls = 8192

// minMaxMessageSize leaves room for the protocol's own messages, and for those of
// [Broker.LendReader] and [Broker.LendWriter], in bytes.
const minMaxMessageSize = 128 << 10

// Option says what a transport carries, and how.
type Option interface {
	apply(o *options)
}

type optionFunc func(o *options)

func (f optionFunc) apply(o *options) { f(o) }

type options struct {
	carried      []carried
	multiplex    bool
	noReflection bool
	maxMessage   int
	maxCalls     uint32
	connecting   time.Duration // the link's ConnectionTimeout
	logger       *slog.Logger  // the link's
	codec        codec
	broker       broker.Config
	yamux        yamux.Config
	dial         []grpc.DialOption
	server       []grpc.ServerOption
}

func defaults() options {
	return options{maxMessage: DefaultMaxMessageSize, maxCalls: DefaultMaxConcurrentCalls, codec: newCodec()}
}

// WithMultiplexing lets the host ask for brokered connections inside the one
// connection that there is, instead of a socket each (protocol §5): where a
// firewall or a container makes further sockets hard to reach. A plugin that
// cannot is refused with a [MultiplexError]. On the plugin's side it changes
// nothing: the plugin does what its host asks for.
func WithMultiplexing() Option {
	return optionFunc(func(o *options) { o.multiplex = true })
}

// WithDialOptions adds options to every connection that this side dials: the
// host's to the plugin, and brokered ones on either side. Interceptors, stats
// handlers and codecs belong here; what the connection is made of (dialer,
// credentials, authority) is set already. Options given later win.
func WithDialOptions(opts ...grpc.DialOption) Option {
	return optionFunc(func(o *options) { o.dial = append(o.dial, opts...) })
}

// WithServerOptions adds options to every server of this side: the plugin's, and
// those of brokered connections on either side. Options given later win.
//
// The servers take messages of protocol buffers only. Another codec comes with
// grpc.ForceServerCodecV2, and with a call option at the side that calls.
func WithServerOptions(opts ...grpc.ServerOption) Option {
	return optionFunc(func(o *options) { o.server = append(o.server, opts...) })
}

// WithMaxMessageSize bounds the size of a message in bytes, in both directions
// and on brokered connections too: a call with a larger one fails with the code
// ResourceExhausted. n below 1 means [DefaultMaxMessageSize]; what is below 128 KiB
// counts as that, which the protocol itself needs. gRPC's own format ends at 2 GiB.
func WithMaxMessageSize(n int) Option {
	return optionFunc(func(o *options) {
		if n < 1 {
			n = DefaultMaxMessageSize
		}
		o.maxMessage = min(max(n, minMaxMessageSize), math.MaxInt32)
	})
}

// WithMaxConcurrentCalls bounds the calls that a server of this side runs at a time
// for each connection, open streams included: the plugin's, and those of brokered
// connections on either side. Further calls wait at the side that calls. n below 1
// means [DefaultMaxConcurrentCalls].
func WithMaxConcurrentCalls(n int) Option {
	return optionFunc(func(o *options) {
		if n < 1 {
			n = DefaultMaxConcurrentCalls
		}
		o.maxCalls = uint32(min(n, math.MaxInt32))
	})
}

// WithoutReflection leaves the reflection service out of the plugin, by which
// tools list its services and their messages.
func WithoutReflection() Option {
	return optionFunc(func(o *options) { o.noReflection = true })
}

// WithYamux sets the bounds of the multiplexed connection: windows, backlog,
// keep-alive. Without it yamux's defaults hold, which send no keep-alive. It
// changes nothing where nothing is multiplexed.
func WithYamux(cfg yamux.Config) Option {
	return optionFunc(func(o *options) { o.yamux = cfg })
}

// WithBroker sets the bounds of the broker: how many offers and requests of the
// other side are kept, and for how long. Without a Logger the broker logs where the
// transport does.
func WithBroker(cfg broker.Config) Option {
	return optionFunc(func(o *options) { o.broker = cfg })
}
