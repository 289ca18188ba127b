package linkboth_test

import (
	"context"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	probe "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

const (
	cookieKey   = "JACKFIELD_LINKBOTH"
	cookieValue = "both"
	name        = "probe"
	role        = "JACKFIELD_LINKBOTH_ROLE"
)

// TestMain makes this program also act as a plugin on either library.
func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "ours":
		plugin.Serve(plugin.Config{
			Handshake:  core.Handshake{MagicCookieKey: cookieKey, MagicCookieValue: cookieValue},
			Versions:   ourVersions,
			Implements: ourPlugin.Bind(new(server)),
		})
	case "theirs":
		goplugin.Serve(&goplugin.ServeConfig{
			HandshakeConfig: theirHandshake(),
			Plugins:         goplugin.PluginSet{name: theirPlugin{}},
			GRPCServer:      goplugin.DefaultGRPCServer,
		})
	default:
		os.Exit(m.Run())
	}
}

type server struct {
	probe.UnimplementedProbeServiceServer
}

func (*server) Echo(_ context.Context, req *probe.EchoRequest) (*probe.EchoResponse, error) {
	return &probe.EchoResponse{Payload: req.GetPayload()}, nil
}

var ourPlugin = core.DefineSides[probe.ProbeServiceServer, probe.ProbeServiceClient](name)

var ourVersions = core.Versions{1: {transportgrpc.New(
	transportgrpc.Service(ourPlugin, probe.RegisterProbeServiceServer, probe.NewProbeServiceClient),
)}}

func theirHandshake() goplugin.HandshakeConfig {
	return goplugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: cookieKey, MagicCookieValue: cookieValue}
}

type theirPlugin struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (theirPlugin) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	probe.RegisterProbeServiceServer(s, new(server))
	return nil
}

func (theirPlugin) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return probe.NewProbeServiceClient(conn), nil
}

// This process hosts plugins with both libraries at once. The plugins run this same
// program, on both libraries.
func TestProgramCallsThroughBothLibraries(t *testing.T) {
	for _, served := range []string{"ours", "theirs"} {
		t.Run("plugin "+served, func(t *testing.T) {
			echo(t, "our host", ourHost(t, served))
			echo(t, "their host", theirHost(t, served))
		})
	}
}

func echo(t *testing.T, who string, client probe.ProbeServiceClient) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	res, err := client.Echo(ctx, &probe.EchoRequest{Payload: []byte(who)})
	if err != nil || string(res.GetPayload()) != who {
		t.Errorf("%s: %q, %v", who, res.GetPayload(), err)
	}
}

func ourHost(t *testing.T, served string) probe.ProbeServiceClient {
	t.Helper()
	client, err := host.Launch(t.Context(), host.Config{
		Handshake: core.Handshake{MagicCookieKey: cookieKey, MagicCookieValue: cookieValue},
		Versions:  ourVersions,
		Command:   host.Cmd{Path: os.Args[0], Env: []string{role + "=" + served, "GORACE=atexit_sleep_ms=0"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	dispensed, err := host.Dispense(t.Context(), client, ourPlugin)
	if err != nil {
		t.Fatal(err)
	}
	return dispensed
}

func theirHost(t *testing.T, served string) probe.ProbeServiceClient {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env = append(os.Environ(), role+"="+served)
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  theirHandshake(),
		Plugins:          goplugin.PluginSet{name: theirPlugin{}},
		Cmd:              command,
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Logger:           hclog.New(&hclog.LoggerOptions{Output: io.Discard}),
	})
	t.Cleanup(client.Kill)
	protocol, err := client.Client()
	if err != nil {
		t.Fatal(err)
	}
	dispensed, err := protocol.Dispense(name)
	if err != nil {
		t.Fatal(err)
	}
	return dispensed.(probe.ProbeServiceClient)
}
