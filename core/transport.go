package core

import (
	"context"
	"io"
	"log/slog"
	"net"
	"time"
)

// Transport carries the calls between a host and a plugin. It is a
// configuration, without state of its own: one value serves any number of
// launches at once, on the host's side and on the plugin's.
//
// A transport carries plugins, each of them a [Plugin] with the functions that make
// a server of an implementation, and a client of a connection. It may have a method
//
//	Names(bound Implementations) []string
//
// that returns the names of the carried plugins with an implementation in bound.
// With it a plugin offers only those versions of which it implements something,
// and describes itself.
//
// A transport is written against this package alone. core/transporttest has the
// suite that every transport passes.
type Transport interface {
	// Protocol is the name in the fifth field of the handshake line.
	Protocol() Protocol

	// HostEnv is called by a host before it launches the plugin. It passes to set
	// the environment variables with the transport's requests to its plugin side.
	// Most transports need none.
	HostEnv(set func(key, value string))

	// Dial is called by a host after the handshake. It connects to the plugin
	// and returns once calls can be made; ctx bounds only that. On an error
	// nothing of the attempt is left. The error wraps that of the TLS handshake,
	// and of the first Read or Write behind it: there a plugin's refusal arrives.
	Dial(ctx context.Context, link HostLink) (Session, error)

	// NewServer is called by a plugin before it writes the handshake line. The
	// returned server is not serving yet.
	NewServer(ctx context.Context, link PluginLink) (Server, error)
}

// Session is a host's open connection to a plugin. Its methods may be called
// from many goroutines.
type Session interface {
	// Dispense returns a client of the named plugin. A name that does not
	// exist is an [UnknownPluginError].
	Dispense(ctx context.Context, name string) (any, error)

	// Ping asks the plugin for a sign of life.
	Ping(ctx context.Context) error

	// Quit asks the plugin to leave, and returns when the plugin has agreed
	// and all that it printed has reached the link's stdio sinks. After an
	// error the caller does not wait for the plugin to end by itself; a
	// connection that the plugin closed while leaving is not an error. A plugin
	// that cannot be asked is an error that wraps [ErrCannotQuit], or at once
	// [ErrConnectionLost] if its connection is lost and cannot be made again.
	Quit(ctx context.Context) error

	// Close drops the connection without a word to the plugin, and returns
	// when nothing of the session is left. It may be called again.
	Close() error

	// Done is closed when the session is closed, or its connection is lost and not
	// made again.
	Done() <-chan struct{}
}

// Server is a plugin's side of a transport. It serves connections and says how
// each part of leaving is done; core/plugin accepts the connections, and owns the
// order of leaving: the calls in flight finish ([PluginLink].Calls), the shutdown
// functions run, the output ends and is sent (Flush), the hosts that asked get
// their answers, and the connections end (Close).
type Server interface {
	// Fields returns the fields of the handshake line from the seventh on;
	// nil for none.
	Fields() []string

	// Serve serves one connection until it ends, and closes it. It is called in
	// a goroutine for each connection. Its error is logged at debug level.
	Serve(conn net.Conn) error

	// Flush returns when Stdout and Stderr of the link, which have ended, have
	// been sent, or with ctx's error. Without a host to send to it returns nil.
	Flush(ctx context.Context) error

	// Close ends the server, Serve included, and returns when nothing is left of
	// it. Answers on their way are sent before, those to callers of the link's
	// Quit included; ctx bounds that. An ended ctx means at once.
	Close(ctx context.Context)
}

// DefaultConnectionTimeout is how long a side waits for a connection that it serves
// to be secured and to become one of its peer's, unless its configuration says
// otherwise.
const DefaultConnectionTimeout = 2 * time.Minute

// Listener is a listener together with the address to announce to the plugin,
// which may differ from its own where the plugin sees other addresses (in a
// container, say).
type Listener struct {
	net.Listener

	AnnounceNetwork string
	AnnounceAddress string
}

// HostLink is what a host knows and its side of a transport needs. Every field
// is set, but for those that say otherwise.
type HostLink struct {
	// Plugin is the plugin's name for errors and logs.
	Plugin string
	// Logger takes what the transport has to say, at debug level while all is
	// well.
	Logger *slog.Logger
	// Version is the negotiated application version.
	Version int
	// Fields are the fields of the handshake line from the seventh on.
	Fields []string
	// TLS is nil when the connection is not protected. Its Connect and Accept
	// secure a connection, on nil too, or a stream of a multiplexed connection.
	TLS *TLS
	// Stdout and Stderr take what the plugin prints. The transport writes to
	// each from one goroutine.
	Stdout, Stderr io.Writer
	// Dial connects to the address in the handshake line, without TLS.
	Dial func(ctx context.Context) (net.Conn, error)
	// DialAddress connects to another address that the plugin named, as the
	// plugin sees it. One that the host does not connect to is an AddressError.
	DialAddress func(ctx context.Context, network, address string) (net.Conn, error)
	// Listen makes a listener that the plugin can reach.
	Listen func(ctx context.Context) (Listener, error)
	// ConnectionTimeout bounds how long the transport waits for a connection that
	// it serves to be secured and to become the plugin's.
	ConnectionTimeout time.Duration
	// Exited is closed when the plugin's process has ended.
	Exited <-chan struct{}
	// Explain says why the connection was lost, given the error of a call that
	// failed with it: it joins an ExitError to err if the plugin's process has
	// ended, and returns ErrClosed instead if the host asked for that end. It
	// waits for the process a short while, at most until ctx ends.
	Explain func(ctx context.Context, err error) error
}

// PluginLink is what a plugin knows and its side of a transport needs. Every
// field is set, but for those that say otherwise.
type PluginLink struct {
	// Logger writes to the plugin's log.
	Logger *slog.Logger
	// Version is the negotiated application version.
	Version int
	// Implements are what the plugin implements. A transport takes those of the
	// plugins that it carries, with [Plugin.Implementation].
	Implements Implementations
	// LookupEnv reads the environment as it was when the plugin started: the
	// protocol's variables have been unset since.
	LookupEnv func(key string) (string, bool)
	// TLS is nil when the connection is not protected. Its Connect and Accept
	// secure a connection, on nil too, or a stream of a multiplexed connection.
	TLS *TLS
	// Stdout and Stderr are what the plugin prints. Each reaches its end before
	// Flush and Close are called.
	Stdout, Stderr io.Reader
	// DialAddress connects to an address that the host named.
	DialAddress func(ctx context.Context, network, address string) (net.Conn, error)
	// Listen makes a further listener that the host can reach.
	Listen func(ctx context.Context) (Listener, error)
	// ConnectionTimeout bounds how long the transport waits for a connection to be
	// secured and to become a host's. A host that is connected may be silent.
	ConnectionTimeout time.Duration
	// Calls counts the application's calls. The transport begins and ends each,
	// and ends the contexts of those in flight when Calls is cut.
	Calls *Calls
	// Quit is what the transport calls when a host asks the plugin to leave. It
	// returns when everything up to Flush is done and the host can be answered.
	Quit func()
}
