//go:build unix

package faults

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	goplugin "github.com/hashicorp/go-plugin"

	grpcprobe "github.com/jackfield-go/jackfield/conformance/goplugingrpc/probe"
	grpcplugin "github.com/jackfield-go/jackfield/conformance/goplugingrpc/probeplugin"
	ourgrpc "github.com/jackfield-go/jackfield/conformance/grpc/ourprobe"
	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// These roles serve the gRPC probe without any fault.
const (
	theirGRPCRole = "goplugin/grpc probe"
	ourGRPCRole   = "jackfield/grpc probe"
)

// playGRPCProbe is a plugin on go-plugin; it serves the gRPC probe.
func playGRPCProbe(world, string) int {
	goplugin.Serve(grpcplugin.Serve(oneVersion()))
	return 0
}

// playJackfieldGRPCProbe is the same plugin on Jackfield.
func playJackfieldGRPCProbe(world, string) int {
	plugin.Serve(ourgrpc.PluginConfig(oneVersion()))
	return 0
}

// eachBroker runs a test with a plain and with a multiplexed broker.
func eachBroker(t *testing.T, test func(t *testing.T, multiplexed bool)) {
	t.Helper()
	t.Run("plain", func(t *testing.T) { test(t, false) })
	t.Run("multiplexed", func(t *testing.T) { test(t, true) })
}

// eachGRPCPlugin runs a test on the gRPC plugin of either library.
func eachGRPCPlugin(t *testing.T, test func(t *testing.T, role string)) {
	t.Helper()
	t.Run("go-plugin's plugin", func(t *testing.T) { test(t, theirGRPCRole) })
	t.Run("our plugin", func(t *testing.T) { test(t, ourGRPCRole) })
}

// goplugingrpc makes a go-plugin host's client of a gRPC plugin. Nothing runs
// before its Start.
func (w world) goplugingrpc(t *testing.T, role string, multiplexed bool) subject {
	t.Helper()
	return w.goplugin(t, role, "", func(config *goplugin.ClientConfig) {
		speakGRPC(config)
		config.GRPCBrokerMultiplex = multiplexed
	})
}

// goplugingrpcStdio is goplugingrpc with a plain broker, and writers for the plugin's
// output.
func (w world) goplugingrpcStdio(t *testing.T, role string, stdout, stderr io.Writer) subject {
	t.Helper()
	return w.goplugin(t, role, "", func(config *goplugin.ClientConfig) {
		speakGRPC(config)
		config.SyncStdout, config.SyncStderr = stdout, stderr
	})
}

func speakGRPC(config *goplugin.ClientConfig) {
	config.VersionedPlugins[1] = grpcplugin.Set(1)
	config.AllowedProtocols = []goplugin.Protocol{goplugin.ProtocolGRPC}
}

// grpcProbe starts the plugin and dispenses the gRPC probe.
func (s subject) grpcProbe() (*grpcprobe.Client, error) {
	protocol, err := s.Client.Client()
	if err != nil {
		return nil, err
	}
	raw, err := protocol.Dispense(probeName)
	if err != nil {
		return nil, err
	}
	client, ok := raw.(*grpcprobe.Client)
	if !ok {
		return nil, fmt.Errorf("dispensed a %T", raw)
	}
	return client, nil
}

// mustGRPCProbe is grpcProbe for tests.
func (s subject) mustGRPCProbe(t *testing.T) *grpcprobe.Client {
	t.Helper()
	client, err := s.grpcProbe()
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// ourGRPCSubject is one gRPC plugin, seen from our host.
type ourGRPCSubject struct {
	*host.Client

	role           string
	probe          *ourgrpc.Probe
	log            *ourLog
	stdout, stderr *lockedBuffer
}

// launchGRPC launches this program in a role of a gRPC plugin with our host. The
// plugin is killed when the test ends.
func (w world) launchGRPC(t *testing.T, role string, multiplexed bool) *ourGRPCSubject {
	t.Helper()
	cfg, log := w.jackfield(t, role, "")
	var options []transportgrpc.Option
	if multiplexed {
		options = append(options, transportgrpc.WithMultiplexing())
	}
	s := &ourGRPCSubject{role: role, log: log, stdout: new(lockedBuffer), stderr: new(lockedBuffer)}
	cfg.Versions = ourgrpc.Versions(oneVersion(), options...)
	cfg.Outputs.PrintedStdout, cfg.Outputs.PrintedStderr = s.stdout, s.stderr
	var err error
	if s.Client, err = host.Launch(bounded(t), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Kill(bounded(t)); err != nil {
			t.Error(err)
		}
	})
	if s.probe, err = host.Dispense(bounded(t), s.Client, ourgrpc.Plugin); err != nil {
		t.Fatal(err)
	}
	return s
}

// closeInOrder ends the plugin. The plugin must leave by itself, without log output.
func (s *ourGRPCSubject) closeInOrder(t *testing.T) {
	t.Helper()
	if err := s.Stop(bounded(t)); err != nil {
		t.Errorf("close: %v", err)
	}
	for line := range strings.Lines(s.log.loud.String()) {
		// yamux in a plugin on go-plugin logs its unwritten data when the plugin leaves.
		// Our plugin has nothing to log.
		if s.role == ourGRPCRole || !strings.Contains(line, "yamux: Failed to write ") {
			t.Errorf("logged above debug: %s", line)
		}
	}
}

// offerOne lets the plugin serve at a broker ID.
func offerOne(t *testing.T, client *grpcprobe.Client, early bool) uint32 {
	t.Helper()
	offered, err := client.Offer(bounded(t), &conformancev1.OfferRequest{Count: 1, Early: early})
	if err != nil {
		t.Fatal(err)
	}
	return offered.GetBrokerIds()[0]
}

// withdraw ends the plugin's serving at the ID.
func withdraw(t *testing.T, client *grpcprobe.Client, id uint32) {
	t.Helper()
	if _, err := client.Withdraw(bounded(t), &conformancev1.WithdrawRequest{BrokerIds: []uint32{id}}); err != nil {
		t.Error(err)
	}
}

// askAt dials the plugin's service at id, asks it, and closes.
func askAt(t *testing.T, client *grpcprobe.Client, id uint32) error {
	t.Helper()
	conn, err := client.Broker.Dial(bounded(t), id)
	if err != nil {
		return err
	}
	return errors.Join(grpcprobe.Ask(bounded(t), conn, grpcprobe.PluginName, id, "who?", 0), conn.Close())
}

// serveOnHost lets the host serve at a broker ID until the test ends.
func serveOnHost(t *testing.T, client *grpcprobe.Client) *grpcprobe.Serving {
	t.Helper()
	serving, err := grpcprobe.Serve(t.Context(), client.Broker, false, grpcprobe.Answerer(grpcprobe.HostName))
	if err != nil {
		t.Fatal(err)
	}
	return serving
}

// callBack lets the plugin dial the host's ID and ask there.
func callBack(t *testing.T, client *grpcprobe.Client, id uint32) error {
	t.Helper()
	answer, err := client.Callback(bounded(t), &conformancev1.CallbackRequest{BrokerId: id, Question: "who?"})
	if err == nil && answer.GetAnsweredBy() != id {
		err = &grpcprobe.WrongServerError{Asked: id, Answered: answer.GetAnsweredBy()}
	}
	return err
}

// expectEcho checks that the plugin answers on the main connection.
func expectEcho(t *testing.T, client *grpcprobe.Client) {
	t.Helper()
	answer, err := client.Echo(bounded(t), &conformancev1.EchoRequest{Payload: []byte("still here")})
	if err != nil || string(answer.GetPayload()) != "still here" {
		t.Errorf("echo: %q, %v", answer.GetPayload(), err)
	}
}
