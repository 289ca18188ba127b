package guide_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/examples/bidirectional/counter"
	"github.com/jackfield-go/jackfield/examples/grpc/kv"
	"github.com/jackfield-go/jackfield/examples/grpc/kv/kvgrpc"
	kvv1 "github.com/jackfield-go/jackfield/examples/proto/kv/v1"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// crashing is a store whose process ends on a certain key.
type crashing struct {
	kvv1.UnimplementedStoreServiceServer
}

func (crashing) Get(_ context.Context, req *kvv1.GetRequest) (*kvv1.GetResponse, error) {
	if req.GetKey() == "crash" {
		os.Exit(3)
	}
	return nil, status.Error(codes.NotFound, "there are no values")
}

func serveStore() {
	if os.Getenv("GUIDE_NO_MULTIPLEXING") != "" { // like a library without multiplexing
		_ = os.Unsetenv("PLUGIN_MULTIPLEX_GRPC")
	}
	plugin.Serve(plugin.Config{
		Handshake:  kv.Handshake,
		Versions:   kv.Versions(transportgrpc.New(stores)),
		Implements: storeService.Bind(crashing{}),
	})
}

// storeService is the store with the generated types.
var storeService = core.DefineSides[kvv1.StoreServiceServer, kvv1.StoreServiceClient](kv.Plugin.Name())

var stores = transportgrpc.Service(storeService, kvv1.RegisterStoreServiceServer, kvv1.NewStoreServiceClient)

func storeConfig(t *testing.T) host.Config {
	t.Helper()
	return host.Config{
		Handshake: kv.Handshake,
		Versions:  kv.Versions(transportgrpc.New(stores)),
		Command:   host.Command(pluginPath(t)),
		Timeouts:  host.Timeouts{Stop: 20 * time.Second}, // the race detector alone takes a second to leave
	}
}

func closeAfterwards(t *testing.T, client *host.Client, err error) *host.Client {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Kill(context.WithoutCancel(t.Context())) })
	return client
}

func TestCallsOverGRPCExplainTheirFailure(t *testing.T) {
	var logged buffer
	log := slog.New(slog.NewTextHandler(&logged, nil))
	launched, err := host.Launch(t.Context(), storeConfig(t))
	client := closeAfterwards(t, launched, err)
	store, err := host.Dispense(t.Context(), client, storeService)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"colour", "crash"} {
		ctx := t.Context()

		_, err := store.Get(ctx, &kvv1.GetRequest{Key: key})
		var exit *core.ExitError
		switch {
		case errors.As(err, &exit):
			log.Error("the plugin has ended", "status", exit.Status, "last_lines", exit.Stderr)
		case errors.Is(err, core.ErrConnectionLost):
			log.Error("the connection broke, and the plugin still runs", "error", err)
		case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
			log.Info("given up", "cause", context.Cause(ctx))
		case status.Code(err) == codes.NotFound:
			log.Info("there is none") // the plugin's own answer
		}

		var failed *transportgrpc.CallError
		if key == "crash" && (!errors.As(err, &failed) || exit == nil || exit.Code != 3) {
			t.Errorf("got %v of the call that ended the plugin", err)
		}
	}
	for _, want := range []string{"there is none", `status="exit status 3"`} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("not logged: %s\n%s", want, logged.String())
		}
	}
}

// observed logs every call, of both sides and on every connection.
func observed(log *slog.Logger) []transportgrpc.Option {
	called := func(
		ctx context.Context, method string, req, reply any,
		conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
	) error {
		began := time.Now()
		err := invoke(ctx, method, req, reply, conn, opts...)
		log.InfoContext(ctx, "called", "method", method, "code", status.Code(err), "took", time.Since(began))
		return err
	}
	served := func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		reply, err := handle(ctx, req)
		log.InfoContext(ctx, "served", "method", info.FullMethod, "code", status.Code(err))
		return reply, err
	}
	return []transportgrpc.Option{
		transportgrpc.WithDialOptions(grpc.WithChainUnaryInterceptor(called)),
		transportgrpc.WithServerOptions(grpc.ChainUnaryInterceptor(served)),
	}
}

func TestInterceptorsActOnEveryConnection(t *testing.T) {
	plugintest.NoLeaks(t)
	var logged buffer
	log := slog.New(slog.NewTextHandler(&logged, nil))
	client := plugintest.Launch(t,
		host.Config{Handshake: counter.Handshake, Versions: counter.Versions(observed(log)...)},
		plugin.Config{Handshake: counter.Handshake, Versions: counter.Versions(), Implements: counter.Plugin.Bind(sums{})})
	c, err := host.Dispense(t.Context(), client, counter.Plugin)
	if err != nil {
		t.Fatal(err)
	}
	if sum, err := c.Add(t.Context(), "apples", 2, adder{}); err != nil || sum != 5 {
		t.Errorf("got %d, %v", sum, err)
	}
	for _, want := range []string{
		"msg=called method=/counter.v1.CounterService/Add code=OK",
		"msg=served method=/counter.v1.AdderService/Sum code=OK",
	} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("not logged: %s\n%s", want, logged.String())
		}
	}
}

// sums is a plugin with a count of three.
type sums struct{ counter.Counter }

func (sums) Add(ctx context.Context, _ string, n int64, adder counter.Adder) (int64, error) {
	return adder.Sum(ctx, 3, n)
}

type adder struct{}

func (adder) Sum(_ context.Context, a, b int64) (int64, error) { return a + b, nil }

// inOneConnection launches a plugin with everything inside one connection, if
// the plugin supports it.
func inOneConnection(ctx context.Context, cfg host.Config, service transportgrpc.Option) (*host.Client, error) {
	cfg.Versions = core.Versions{1: {transportgrpc.New(service, transportgrpc.WithMultiplexing())}}
	client, err := host.Launch(ctx, cfg)
	var cannot *transportgrpc.MultiplexError
	if errors.As(err, &cannot) {
		cfg.Versions = core.Versions{1: {transportgrpc.New(service)}}
		client, err = host.Launch(ctx, cfg)
	}
	return client, err
}

func TestMultiplexingIsOptionalForAPlugin(t *testing.T) {
	for name, env := range map[string][]string{"can": nil, "cannot": {"GUIDE_NO_MULTIPLEXING=1"}} {
		t.Run(name, func(t *testing.T) {
			cfg := storeConfig(t)
			cfg.Command.Env = env
			launched, err := inOneConnection(t.Context(), cfg, stores)
			client := closeAfterwards(t, launched, err)
			if err := client.Ping(t.Context()); err != nil {
				t.Error(err)
			}

			cfg.Versions = kv.Versions(transportgrpc.New(stores, transportgrpc.WithMultiplexing()))
			other, err := host.Launch(t.Context(), cfg)
			var cannot *transportgrpc.MultiplexError
			if errors.As(err, &cannot) != (env != nil) {
				t.Errorf("of a plugin that %s: %v", name, err)
			}
			if err == nil {
				closeAfterwards(t, other, nil)
			}
		})
	}
}

// large allows messages up to 64 MiB.
func large(service transportgrpc.Option) core.Versions {
	return core.Versions{1: {transportgrpc.New(service, transportgrpc.WithMaxMessageSize(64<<20))}}
}

func TestMessagesHaveASizeLimit(t *testing.T) {
	plugintest.NoLeaks(t)
	client := plugintest.Launch(t,
		host.Config{Handshake: kv.Handshake, Versions: large(stores)},
		plugin.Config{Handshake: kv.Handshake, Versions: kv.Versions(kvgrpc.Transport), Implements: kv.Plugin.Bind(lengths{})})
	store, err := host.Dispense(t.Context(), client, storeService)
	if err != nil {
		t.Fatal(err)
	}
	for size, want := range map[int]codes.Code{60 << 20: codes.OK, 65 << 20: codes.ResourceExhausted} {
		value := bytes.Repeat([]byte{1}, size)
		if _, err := store.Put(t.Context(), &kvv1.PutRequest{Value: value}); status.Code(err) != want {
			t.Errorf("%d bytes: got %v, want %v", size, err, want)
		}
	}
}

// lengths is a store that drops its values.
type lengths struct{ kv.Store }

func (lengths) Put(context.Context, string, []byte) error { return nil }
