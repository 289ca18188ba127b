//go:build unix

package faultinjection

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/probe"
	ourgrpc "github.com/jackfield-go/jackfield/conformance/grpc/ourprobe"
	ournetrpc "github.com/jackfield-go/jackfield/conformance/netrpc/ourprobe"
	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// patience limits what must not hang, on a busy machine.
const patience = 30 * time.Second

// These are the libraries of plugins.
const (
	ours   = "jackfield"
	theirs = "go-plugin"
)

// These are the transports.
const (
	netRPC      = "netrpc"
	plain       = "gRPC"
	multiplexed = "multiplexed"
)

// combination is a kind of plugin and connection.
type combination struct {
	library, transport string
	secured            bool
}

func combinations() (all []combination) {
	for _, library := range []string{ours, theirs} {
		for _, transport := range []string{netRPC, plain, multiplexed} {
			for _, secured := range []bool{false, true} {
				all = append(all, combination{library, transport, secured})
			}
		}
	}
	return all
}

func (c combination) String() string {
	text := c.library + "," + c.transport
	if c.secured {
		text += ",TLS"
	}
	return text
}

// config configures a host for a plugin with a role.
func (c combination) config(r role, dir string) (host.Config, error) {
	self, err := os.Executable()
	if err != nil {
		return host.Config{}, err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return host.Config{}, err
	}
	race := "atexit_sleep_ms=0"
	if c.library == theirs { // its races are not ours to fix
		race += " exitcode=0"
	}
	command := host.Command(self)
	command.Env = []string{roleVariable + "=" + string(text), "TMPDIR=" + dir, "GORACE=" + race}
	cfg := host.Config{
		Handshake: ourgrpc.Handshake(),
		Versions:  c.versions(),
		Command:   command,
		Name:      c.library,
		Sockets:   host.Sockets{Dirs: []string{dir}},
		Timeouts:  host.Timeouts{Start: 2 * patience, Stop: patience, Kill: patience},
		Logger:    slog.New(slog.DiscardHandler),
	}
	if c.secured {
		cfg.AutoMTLS = host.MTLSRequired
	}
	return cfg, nil
}

func (c combination) versions() core.Versions {
	version := shared.Versions{Numbers: []int{1}}
	switch c.transport {
	case netRPC:
		return ournetrpc.Versions(version)
	case multiplexed:
		return ourgrpc.Versions(version, transportgrpc.WithMultiplexing())
	}
	return ourgrpc.Versions(version)
}

// subject is a plugin in service. One of the probes is set.
type subject struct {
	client *host.Client
	netrpc *ournetrpc.Probe
	grpc   *ourgrpc.Probe
}

func newSubject(ctx context.Context, client *host.Client) (*subject, error) {
	made, err := client.Dispense(ctx, shared.PluginName)
	if err != nil {
		return nil, err
	}
	s := &subject{client: client}
	if client.Protocol() == core.NetRPC {
		s.netrpc = made.(*ournetrpc.Probe)
	} else {
		s.grpc = made.(*ourgrpc.Probe)
	}
	return s, nil
}

// echo makes a call.
func (s *subject) echo(ctx context.Context) (err error) {
	if s.netrpc != nil {
		_, err = s.netrpc.Echo(ctx, "hello")
	} else {
		_, err = s.grpc.Echo(ctx, &conformancev1.EchoRequest{Payload: []byte("hello")})
	}
	return err
}

// offered makes a new brokered connection, from the host to the plugin, and asks there.
func (s *subject) offered(ctx context.Context) error {
	if s.netrpc != nil {
		id, err := s.netrpc.ServeBack(ctx)
		if err != nil {
			return err
		}
		asker, err := shared.DialAsker(ctx, s.netrpc.Probe, id)
		if err != nil {
			return err
		}
		defer func() { _ = asker.Close() }()
		return shared.AskPlugin(ctx, asker, "who?")
	}
	offer, err := s.grpc.Offer(ctx, &conformancev1.OfferRequest{Count: 1})
	if err != nil {
		return err
	}
	id := offer.GetBrokerIds()[0]
	conn, err := s.grpc.Broker.Dial(ctx, id)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return probe.Ask(ctx, conn, probe.PluginName, id, "who?", 0)
}

// within returns a context for what must not hang, also at the end of a test.
func within(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), limit)
	t.Cleanup(cancel)
	return ctx
}
