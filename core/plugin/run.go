package plugin

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/internal/logline"
	"github.com/jackfield-go/jackfield/core/internal/serving"
)

// Env is a plugin's environment: [Serve] uses the process's, tests give their
// own. Every field but Args and Signals is required.
type Env struct {
	// Args are the program's arguments, without its name. Nil: none.
	Args []string
	// Lookup reads an environment variable.
	Lookup func(key string) (string, bool)
	// Unset removes a variable. It is called for the protocol's variables once
	// they have been read, so that no child of the plugin inherits them.
	Unset func(key string)
	// Announce takes the handshake line, or the description, in one write.
	Announce io.Writer
	// Log takes the log lines of the default logger.
	Log io.Writer
	// Stdout and Stderr are the plugin's output.
	Stdout, Stderr io.Reader
	// EndOutput makes Stdout and Stderr reach their ends. It may be called
	// again.
	EndOutput func()
	// Signals are the process's signals: os.Interrupt is left to the host, any
	// other signal asks the plugin to leave. Nil: none come.
	Signals <-chan os.Signal
	// Orphaned is called once the host has ended, before the plugin begins to
	// leave. In [Serve] output goes nowhere from then on, and the process and the
	// group that it leads end after two seconds at the latest. Nil: nothing is done.
	Orphaned func()
}

// Run is [Serve] without the process: it uses only env, does not exit, and
// returns when the plugin has ended: nil after an orderly end. The host, the end
// of the host, a signal, or the end of ctx causes an orderly end. A missing or wrong cookie is
// a [core.CookieError].
func Run(ctx context.Context, env Env, cfg Config) error {
	if err := cfg.validate(); err != nil {
		return err
	}
	cfg = cfg.withDefaults()
	if asksToDescribe(env, cfg) {
		return describe(env.Announce, cfg)
	}
	if err := checkCookie(env, cfg.Handshake); err != nil {
		return err
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(logline.NewHandler(env.Log, logline.HandlerOptions{}))
	}
	r := &run{env: env, cfg: cfg}
	defer r.release()
	return r.serve(ctx)
}

func checkCookie(env Env, h core.Handshake) error {
	value, ok := env.Lookup(h.MagicCookieKey)
	if value != h.MagicCookieValue {
		return &core.CookieError{Key: h.MagicCookieKey, Missing: !ok}
	}
	return nil
}

// run is one run of a plugin.
type run struct {
	env     Env
	cfg     Config
	asked   handshake.Environment
	inherit map[string]string // the protocol's variables as they were
	sockets *sockets
	server  *serving.Server

	orphaned chan struct{} // closed when the host has ended
}

// serve listens, announces, and answers until the end.
func (r *run) serve(ctx context.Context) error {
	if err := r.readEnvironment(); err != nil {
		return err
	}
	if err := r.checkRequirement(); err != nil {
		return err
	}
	defer r.watchHost(ctx)()
	version, common := handshake.Negotiate(r.cfg.Versions.Numbers(), r.asked.Versions)
	transport := r.cfg.Versions[version][0]
	tls, certificate, err := r.security(ctx)
	if err != nil {
		return err
	}
	listener, err := r.sockets.listen(ctx)
	if err != nil {
		return fmt.Errorf("listen for the host: %w", err)
	}
	r.server, err = serving.New(ctx, transport, r.link(version, tls),
		serving.Config{Timeout: r.cfg.ShutdownTimeout, Leave: r.leave})
	if err != nil {
		_ = listener.Close()
		return fmt.Errorf("set up the %s server: %w", transport.Protocol(), err)
	}
	line := handshake.Line{
		AppVersion: version,
		Network:    listener.Addr().Network(),
		Address:    listener.Addr().String(),
		Protocol:   string(transport.Protocol()),
		ServerCert: certificate,
		Fields:     r.fields(common),
	}
	if err := r.announce(line); err != nil {
		_ = listener.Close()
		r.env.EndOutput()
		r.server.Close()
		return err
	}
	r.sockets.sweep()
	return r.serveHost(ctx, listener)
}

// readEnvironment takes the protocol's variables out of the environment.
func (r *run) readEnvironment() error {
	r.inherit = make(map[string]string)
	for _, name := range append(handshake.Names(), r.cfg.Handshake.MagicCookieKey) {
		if value, ok := r.env.Lookup(name); ok {
			r.inherit[name] = value
		}
	}
	asked, err := handshake.ReadEnvironment(r.lookup)
	if err != nil {
		r.cfg.Logger.Warn("the host sent something that cannot be used", "error", err)
	}
	if asked.FieldsFor != "" && asked.FieldsFor != r.cfg.Handshake.MagicCookieKey {
		// Another program's host asked, and the variable was handed down. A transport reads it too.
		asked.Fields, r.inherit[handshake.EnvFields] = nil, ""
	}
	r.asked = asked
	// The cookie too: this process's children are no plugins of that host.
	for _, name := range append(handshake.Names(), r.cfg.Handshake.MagicCookieKey) {
		r.env.Unset(name)
	}
	r.sockets, err = newSockets(r.cfg, asked)
	return err
}

// lookup reads the environment as it was before variables were unset.
func (r *run) lookup(key string) (string, bool) {
	if value, ok := r.inherit[key]; ok {
		return value, true
	}
	return r.env.Lookup(key)
}

func (r *run) announce(line handshake.Line) error {
	text, err := line.Format()
	if err != nil {
		return fmt.Errorf("announce the plugin: %w", err)
	}
	if _, err := io.WriteString(r.env.Announce, text); err != nil {
		return fmt.Errorf("announce the plugin to the host: %w", err)
	}
	return nil
}

// link returns the transport's view of the plugin.
func (r *run) link(version int, tls *core.TLS) core.PluginLink {
	return core.PluginLink{
		Logger:      r.cfg.Logger,
		Version:     version,
		Implements:  r.cfg.Implements,
		LookupEnv:   r.lookup,
		TLS:         tls,
		Stdout:      r.env.Stdout,
		Stderr:      r.env.Stderr,
		DialAddress: r.sockets.dial,
		Listen: func(ctx context.Context) (core.Listener, error) {
			listener, err := r.sockets.listen(ctx)
			if err != nil {
				return core.Listener{}, err
			}
			return core.Listener{
				Listener:        listener,
				AnnounceNetwork: listener.Addr().Network(),
				AnnounceAddress: listener.Addr().String(),
			}, nil
		},
		ConnectionTimeout: r.cfg.ConnectionTimeout,
	}
}

// serveHost serves until the host, a signal or ctx ends it.
func (r *run) serveHost(ctx context.Context, listener net.Listener) error {
	served := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		r.watch(ctx, served)
	}()
	err := r.server.Serve(listener)
	close(served)
	<-watched
	return err
}

// watch makes the server leave on a signal or at the end of ctx.
func (r *run) watch(ctx context.Context, served <-chan struct{}) {
	signals := r.env.Signals
	for {
		select {
		case <-served:
			return
		case sig, open := <-signals:
			if !open {
				signals = nil
				continue
			}
			if sig == os.Interrupt {
				r.cfg.Logger.DebugContext(ctx, "an interrupt is left to the host")
				continue
			}
			r.cfg.Logger.DebugContext(ctx, "the plugin leaves", "signal", sig.String())
			r.server.Leave()
			return
		case <-r.orphaned:
			r.server.Leave()
			return
		case <-ctx.Done():
			r.server.Leave()
			return
		}
	}
}

// leave runs the shutdown functions and ends the output.
func (r *run) leave(ctx context.Context) {
	r.runHooks(ctx)
	r.env.EndOutput()
}

// runHooks runs the shutdown functions. A function that ignores its context is
// left behind, lest it keep the plugin from leaving.
func (r *run) runHooks(ctx context.Context) {
	if len(r.cfg.OnShutdown) == 0 {
		return
	}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		for _, hook := range slices.Backward(r.cfg.OnShutdown) {
			hook(ctx)
		}
	}()
	patience := time.NewTimer(r.cfg.ShutdownTimeout)
	defer patience.Stop()
	select {
	case <-finished:
	case <-patience.C:
		r.cfg.Logger.WarnContext(ctx, "an OnShutdown function is left behind: it took longer than Config.ShutdownTimeout",
			"limit", r.cfg.ShutdownTimeout)
	}
}

func (r *run) release() {
	r.env.EndOutput()
	if r.sockets != nil {
		r.sockets.remove(r.isOrphan())
	}
}
