package transportgrpc_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/plugintest"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
	"github.com/jackfield-go/jackfield/transport-grpc/internal/probepb"
)

// mode is how host and plugin are connected. Foreign sides do not know each other as ours.
type mode struct{ multiplexed, secure, foreign bool }

func (m mode) String() string {
	name := "plain"
	if m.multiplexed {
		name = "multiplexed"
	}
	if m.secure {
		name += " under TLS"
	}
	if m.foreign {
		name += " with a foreign side"
	}
	return name
}

// schemes are the modes without TLS, modes all there are.
var (
	schemes = []mode{{}, {multiplexed: true}}
	modes   = append(ours(false), ours(true)...)
)

// ours are the modes with or without a foreign side.
func ours(foreign bool) []mode {
	return []mode{
		{foreign: foreign}, {foreign: foreign, secure: true},
		{foreign: foreign, multiplexed: true}, {foreign: foreign, multiplexed: true, secure: true},
	}
}

// inEach runs a test in each of some modes.
func inEach(t *testing.T, modes []mode, test func(t *testing.T, m mode)) {
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) { test(t, m) })
	}
}

// setup is the configuration of a rig.
type setup struct {
	mode

	plugin   []transportgrpc.Option
	register func(b *transportgrpc.Broker, r grpc.ServiceRegistrar) error // nil: a probeServer
	timeout  time.Duration                                                // for the shutdown; 0: 5 s
}

// rig is a plugin's server without a process around it, for hosts of
// the test's own.
type rig struct {
	setup

	server         *plugintest.Server
	broker         *transportgrpc.Broker // the plugin's
	address        string
	sockets        *sockets
	served         chan error
	stdout, stderr *net.UnixConn // the plugin's output
	quit           chan struct{} // closed when the shutdown functions run
	log            *log
}

// sockets makes those of both sides.
type sockets struct {
	dir  string
	last atomic.Int64
}

func newSockets(t testing.TB) *sockets {
	t.Helper()
	dir, err := os.MkdirTemp("", "rig") //nolint:usetesting // a socket's path is short, whatever the test is called
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return &sockets{dir: dir}
}

func (s *sockets) listen(ctx context.Context) (core.Listener, error) {
	path := filepath.Join(s.dir, strconv.FormatInt(s.last.Add(1), 10))
	listener, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	return core.Listener{Listener: listener, AnnounceNetwork: "unix", AnnounceAddress: path}, err
}

// count returns how many there are.
func (s *sockets) count(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func dialAddress(ctx context.Context, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

// tls is nil where the mode has none.
func (m mode) tls() *core.TLS {
	if !m.secure {
		return nil
	}
	return security()
}

// link is the argument of the plugin's transport.
func (r *rig) link(stdout, stderr io.Reader) core.PluginLink {
	return core.PluginLink{
		ConnectionTimeout: core.DefaultConnectionTimeout,
		Logger:            r.log.logger(slog.LevelDebug),
		LookupEnv: func(key string) (string, bool) {
			switch {
			case r.multiplexed && key == "PLUGIN_MULTIPLEX_GRPC":
				return "true", true
			case !r.foreign && key == "PLUGIN_HANDSHAKE_FIELDS":
				return "versions,lending", true
			}
			return "", false
		},
		TLS:    r.tls(),
		Stdout: stdout, Stderr: stderr,
		Implements:  it.Bind(struct{}{}),
		DialAddress: dialAddress,
		Listen:      r.sockets.listen,
	}
}

// leave stands for the shutdown functions.
func (r *rig) leave(context.Context) {
	close(r.quit)
	_ = r.stdout.CloseWrite()
	_ = r.stderr.CloseWrite()
}

// ended waits for the end of Serve.
func (r *rig) ended(ctx context.Context) error {
	select {
	case err := <-r.served:
		r.served <- err
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// newRig returns a rig before it serves; the transport's NewServer may fail.
func newRig(t *testing.T, s setup) (*rig, error) {
	t.Helper()
	if s.timeout == 0 {
		s.timeout = 5 * time.Second
	}
	if s.register == nil {
		s.register = func(b *transportgrpc.Broker, r grpc.ServiceRegistrar) error {
			probepb.RegisterProbeServiceServer(r, &probeServer{impl: testProbe{}, broker: b})
			return nil
		}
	}
	r := &rig{setup: s, sockets: newSockets(t), served: make(chan error, 1), quit: make(chan struct{}), log: newLog()}
	var stdout, stderr net.Conn
	stdout, r.stdout = unixPair(t)
	stderr, r.stderr = unixPair(t)
	transport := transportgrpc.New(append(s.plugin, transportgrpc.Carry(it,
		func(b *transportgrpc.Broker, registrar grpc.ServiceRegistrar, _ struct{}) error {
			r.broker = b
			return s.register(b, registrar)
		}, nil))...)
	var err error
	r.server, err = plugintest.NewServer(t.Context(), transport, r.link(stdout, stderr), s.timeout, r.leave)
	return r, err
}

// rigUp serves until the test ends, and expects no remains.
func rigUp(t *testing.T, s setup) *rig {
	t.Helper()
	plugintest.NoLeaks(t)
	r, err := newRig(t, s)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := r.sockets.listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.address = listener.AnnounceAddress
	go func() { r.served <- r.server.Serve(listener) }()
	t.Cleanup(func() {
		r.server.Close()
		if err := receive(t, "the end of Serve", r.served); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return r
}

// testHost is a host connected to a plugin.
type testHost struct {
	core.Session
	handle

	stdout, stderr, log *log
}

// handle is dispensed by the tests: both halves unchanged.
type handle struct {
	broker *transportgrpc.Broker
	conn   grpc.ClientConnInterface
	probe  probepb.ProbeServiceClient
}

// it is the plugin of the tests; its implementation is in the register
// function.
var it = core.DefineSides[struct{}, handle]("it")

// handles lets a host dispense handles.
var handles = transportgrpc.Carry(it, nil, newHandle)

func newHandle(b *transportgrpc.Broker, conn grpc.ClientConnInterface) (handle, error) {
	return handle{b, conn, probepb.NewProbeServiceClient(conn)}, nil
}

// dial connects a host, after change has been applied to it.
func (m mode) dial(
	t *testing.T, s *sockets, address string, change func(*core.HostLink), opts ...transportgrpc.Option,
) (*testHost, error) {
	t.Helper()
	h := &testHost{stdout: newLog(), stderr: newLog(), log: newLog()}
	link := core.HostLink{
		ConnectionTimeout: core.DefaultConnectionTimeout,
		Plugin:            "plugin",
		Logger:            h.log.logger(slog.LevelInfo),
		TLS:               m.tls(),
		Stdout:            h.stdout, Stderr: h.stderr,
		Dial: func(ctx context.Context) (net.Conn, error) {
			return dialAddress(ctx, "unix", address)
		},
		DialAddress: dialAddress,
		Listen:      s.listen,
		Exited:      make(chan struct{}),
		Explain:     func(_ context.Context, err error) error { return err },
	}
	link.Fields = []string{"", "lending=1"}
	if m.multiplexed {
		link.Fields[0] = "true"
		opts = append(opts, transportgrpc.WithMultiplexing())
	}
	if m.foreign {
		link.Fields = link.Fields[:1]
	}
	if change != nil {
		change(&link)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	session, err := transportgrpc.New(append(opts, handles)...).Dial(ctx, link)
	if err != nil {
		return nil, err
	}
	h.Session = session
	t.Cleanup(func() { promptly(t, "the host's Close", h.Close) })
	made, err := h.Dispense(within(t), "it")
	if err != nil {
		t.Fatal(err)
	}
	var ok bool
	if h.handle, ok = made.(handle); !ok {
		t.Fatalf("dispensed a %T", made)
	}
	return h, nil
}

// connect connects a host to the rig.
func (r *rig) connect(t *testing.T, opts ...transportgrpc.Option) *testHost {
	t.Helper()
	return r.connectWith(t, nil, opts...)
}

func (r *rig) connectWith(t *testing.T, change func(*core.HostLink), opts ...transportgrpc.Option) *testHost {
	t.Helper()
	h, err := r.dial(t, r.sockets, r.address, change, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// raw connects without a word.
func (r *rig) raw(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("unix", r.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// echoes expects an answer of the plugin.
func (h *testHost) echoes(t testing.TB) {
	t.Helper()
	res, err := h.probe.Echo(within(t), &probepb.EchoRequest{Data: []byte("hello")})
	if err != nil || string(res.GetData()) != "hello" {
		t.Errorf("Echo: got %q, %v", res.GetData(), err)
	}
}

// noticesTheLoss makes a call after a connection was cut. gRPC may send it on that
// connection still: then it fails, and gRPC knows of the loss.
func (h *testHost) noticesTheLoss(t testing.TB) {
	t.Helper()
	_, err := h.probe.Echo(within(t), &probepb.EchoRequest{})
	if err != nil && !errors.Is(err, core.ErrConnectionLost) {
		t.Errorf("Echo: got %v, want an answer or core.ErrConnectionLost", err)
	}
}

// side is one of the two, where a test treats both alike.
type side struct {
	name  string
	near  *transportgrpc.Broker
	other *transportgrpc.Broker
}

// sides are the two directions of brokered connections: near serves, and the
// other side dials.
func sides(r *rig, h *testHost) []side {
	return []side{
		{"the host serves", h.broker, r.broker},
		{"the plugin serves", r.broker, h.broker},
	}
}
