package attach

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/conformance/goplugin/probeplugin"
	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	grpcprobe "github.com/jackfield-go/jackfield/conformance/goplugingrpc/probe"
	grpcplugin "github.com/jackfield-go/jackfield/conformance/goplugingrpc/probeplugin"
	ourgrpc "github.com/jackfield-go/jackfield/conformance/grpc/ourprobe"
	ournetrpc "github.com/jackfield-go/jackfield/conformance/netrpc/ourprobe"
	"github.com/jackfield-go/jackfield/conformance/peers"
	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
)

// patience limits operations that must not hang.
const patience = 30 * time.Second

// programs are the plugins' paths, set by TestMain before any test.
var programs struct{ ourNetRPC, theirNetRPC, ourGRPC, theirGRPC string }

// TestMain builds the plugins once.
func TestMain(m *testing.M) {
	os.Exit(peers.Main(m,
		peers.Program{Path: &programs.ourNetRPC, Source: "../netrpc/ourplugin", Ours: true},
		peers.Program{Path: &programs.theirNetRPC, Source: "../goplugin/plugin"},
		peers.Program{Path: &programs.ourGRPC, Source: "../grpc/ourplugin", Ours: true},
		peers.Program{Path: &programs.theirGRPC, Source: "../goplugingrpc/plugin"},
	))
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// wire is a transport with both libraries' sides of the probe.
type wire struct {
	protocol             goplugin.Protocol
	ourProgram, theirs   *string
	ourHost              host.Config
	ourPlugin            plugin.Config
	theirHost            *goplugin.ClientConfig
	theirPlugin          *goplugin.ServeConfig
	echoOfOurs, echoText func(context.Context, any, string) (string, error)
}

var quiet = slog.New(slog.DiscardHandler)

func version1() shared.Versions { return shared.Versions{Numbers: []int{1}} }

// wires returns both transports. The plugin sets of go-plugin have no versions: its hosts
// cannot dispense from versioned sets after they have attached (F6).
func wires() map[string]wire {
	legacy := shared.Versions{Numbers: []int{1}, Legacy: true}
	return map[string]wire{
		"net/rpc": {
			protocol:   goplugin.ProtocolNetRPC,
			ourProgram: &programs.ourNetRPC, theirs: &programs.theirNetRPC,
			ourHost:     host.Config{Handshake: ournetrpc.Handshake(), Versions: ournetrpc.Versions(version1()), Logger: quiet},
			ourPlugin:   ournetrpc.PluginConfig(version1()),
			theirHost:   probeplugin.Client(legacy),
			theirPlugin: probeplugin.Serve(legacy),
			echoOfOurs: func(ctx context.Context, probe any, text string) (string, error) {
				return probe.(*ournetrpc.Probe).Echo(ctx, text)
			},
			echoText: func(ctx context.Context, probe any, text string) (string, error) {
				return probe.(*shared.Probe).Echo(ctx, text)
			},
		},
		"gRPC": {
			protocol:   goplugin.ProtocolGRPC,
			ourProgram: &programs.ourGRPC, theirs: &programs.theirGRPC,
			ourHost:     host.Config{Handshake: ourgrpc.Handshake(), Versions: ourgrpc.Versions(version1()), Logger: quiet},
			ourPlugin:   ourgrpc.PluginConfig(version1()),
			theirHost:   grpcplugin.Client(legacy),
			theirPlugin: grpcplugin.Serve(legacy),
			echoOfOurs: func(ctx context.Context, probe any, text string) (string, error) {
				return echoGRPC(ctx, probe.(*ourgrpc.Probe).Client, text)
			},
			echoText: func(ctx context.Context, probe any, text string) (string, error) {
				return echoGRPC(ctx, probe.(*grpcprobe.Client), text)
			},
		},
	}
}

func echoGRPC(ctx context.Context, client *grpcprobe.Client, text string) (string, error) {
	answer, err := client.Echo(ctx, &conformancev1.EchoRequest{Payload: []byte(text)})
	return string(answer.GetPayload()), err
}

// attached returns a host on go-plugin for a running plugin.
func (w wire) attached(t *testing.T, reattach *goplugin.ReattachConfig) *goplugin.Client {
	t.Helper()
	cfg := *w.theirHost
	cfg.Reattach = reattach
	cfg.AllowedProtocols = []goplugin.Protocol{w.protocol}
	cfg.Logger = hclog.NewNullLogger()
	return goplugin.NewClient(&cfg)
}

// expectEcho calls the plugin from a host on go-plugin.
func (w wire) expectEcho(t *testing.T, client *goplugin.Client) {
	t.Helper()
	connection, err := client.Client()
	if err != nil {
		t.Fatal(err)
	}
	probe, err := connection.Dispense(shared.PluginName)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := w.echoText(within(t), probe, "hello"); err != nil || got != "hello" {
		t.Errorf("the answer is %q, %v", got, err)
	}
}

// expectOurEcho calls the plugin from our host.
func (w wire) expectOurEcho(t *testing.T, client *host.Client) {
	t.Helper()
	probe, err := client.Dispense(within(t), shared.PluginName)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := w.echoOfOurs(within(t), probe, "hello"); err != nil || got != "hello" {
		t.Errorf("the answer is %q, %v", got, err)
	}
}
