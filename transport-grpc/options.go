package transportgrpc

import (
	"log/slog"
	"math"
	"time"

	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/broker"
	"github.com/jackfield-go/jackfield/yamux"
)

// DefaultMaxMessageSize is the default of [WithMaxMessageSize], in bytes: 1 GiB.
const DefaultMaxMessageSize = 1 << 30

// DefaultMaxConcurrentCalls is the default of [WithMaxConcurrentCalls], for each
// connection.
const DefaultMaxConcurrentCalls = 8192

// minMaxMessageSize leaves room for the protocol's own messages, and for those of
// [Broker.LendReader] and [Broker.LendWriter], in bytes.
const minMaxMessageSize = 128 << 10

// Option is a setting of a transport: a plugin to carry, or a limit.
type Option interface {
	apply(o *options)
}

type optionFunc func(o *options)

func (f optionFunc) apply(o *options) { f(o) }

type options struct {
	carried      []carried
	hostServices []func(b *Broker, r grpc.ServiceRegistrar) error

	hostServicesID uint32

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

// WithMultiplexing lets the host ask for brokered connections inside its single
// connection, instead of a socket each (protocol §5). Use it if a firewall or a
// container makes further sockets hard to reach. A plugin without support is refused
// with a [MultiplexError]. On the plugin's side the option changes nothing: the plugin
// follows its host.
func WithMultiplexing() Option {
	return optionFunc(func(o *options) { o.multiplex = true })
}

// WithDialOptions adds options to every connection dialled by this side: the host's to
// the plugin, and brokered connections on either side. Interceptors, stats handlers and
// codecs belong here; the transport sets dialer, credentials and authority. Options
// given later win.
func WithDialOptions(opts ...grpc.DialOption) Option {
	return optionFunc(func(o *options) { o.dial = append(o.dial, opts...) })
}

// WithServerOptions adds options to every server of this side: the plugin's, and
// those of brokered connections on either side. Options given later win.
//
// The servers take messages of protocol buffers only. Another codec comes with
// grpc.ForceServerCodecV2, and with a call option at the calling side.
func WithServerOptions(opts ...grpc.ServerOption) Option {
	return optionFunc(func(o *options) { o.server = append(o.server, opts...) })
}

// WithMaxMessageSize bounds the size of a message in bytes, in both directions
// and on brokered connections too: a call with a larger one fails with the code
// ResourceExhausted. n below 1 means [DefaultMaxMessageSize]; other values are raised
// to 128 KiB, for the protocol's own messages. gRPC's own format ends at 2 GiB.
func WithMaxMessageSize(n int) Option {
	return optionFunc(func(o *options) {
		if n < 1 {
			n = DefaultMaxMessageSize
		}
		o.maxMessage = min(max(n, minMaxMessageSize), math.MaxInt32)
	})
}

// WithMaxConcurrentCalls limits the calls at a time for each connection to a server of
// this side, open streams included: the plugin's server, and servers of brokered
// connections on either side. Further calls wait at the calling side. n below 1 means
// [DefaultMaxConcurrentCalls].
func WithMaxConcurrentCalls(n int) Option {
	return optionFunc(func(o *options) {
		if n < 1 {
			n = DefaultMaxConcurrentCalls
		}
		o.maxCalls = uint32(min(n, math.MaxInt32))
	})
}

// WithoutReflection leaves the reflection service out of the plugin. Tools use it to
// list services and their messages.
func WithoutReflection() Option {
	return optionFunc(func(o *options) { o.noReflection = true })
}

// WithYamux sets the bounds of the multiplexed connection: windows, backlog,
// keep-alive. Yamux's defaults send no keep-alive. The option changes nothing
// without multiplexing.
func WithYamux(cfg yamux.Config) Option {
	return optionFunc(func(o *options) { o.yamux = cfg })
}

// WithBroker sets the bounds of the broker: the number of the other side's pending
// offers and requests, and their timeout. Without a Logger the broker logs to the
// transport's.
func WithBroker(cfg broker.Config) Option {
	return optionFunc(func(o *options) { o.broker = cfg })
}
