package host_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/runner"
)

// linked is a transport that shows what a host lets it do.
type linked struct {
	*faketransport.Transport

	link core.HostLink
}

func (l *linked) Dial(ctx context.Context, link core.HostLink) (core.Session, error) {
	l.link = link
	return l.Transport.Dial(ctx, link)
}

// launchBoth launches a plugin, and returns its transport's link too.
func launchBoth(t *testing.T, cfg host.Config) (*host.Client, core.HostLink) {
	t.Helper()
	transport := &linked{Transport: new(faketransport.Transport)}
	cfg.Versions = core.Versions{1: {transport}}
	return launch(t, cfg), transport.link
}

// launchLinked is launchBoth for who needs the link alone.
func launchLinked(t *testing.T, cfg host.Config) core.HostLink {
	t.Helper()
	_, link := launchBoth(t, cfg)
	return link
}

func TestLaunchRefusesAnAddressOnAnotherMachine(t *testing.T) {
	asItIs := func(cmd runner.Command) runner.Runner { return runner.NewProcess(cmd) }
	address := "192.0.2.1:80" // of nobody (RFC 5737)
	for name, cfg := range map[string]host.Config{
		"without a runner":             config(t, "printed", "1|1|tcp|"+address+"|fake\n"),
		"with a runner of a process's": withRunner(config(t, "printed", "1|1|tcp|"+address+"|fake\n"), asItIs),
	} {
		t.Run(name, func(t *testing.T) {
			failure := fail(t, within(t), cfg)
			var refused *core.AddressError
			if !errors.As(failure, &refused) || refused.Network != "tcp" || refused.Address != address {
				t.Errorf("the reason is %+v", failure.Err)
			}
			if failure.Stage != host.StageNegotiate {
				t.Errorf("stage %s", failure.Stage)
			}
			mention(t, failure, address, "loopback")
		})
	}
}

func TestBrokeredAddressOnAnotherMachineIsRefused(t *testing.T) {
	link := launchLinked(t, config(t, "serve", ""))
	for network, address := range map[string]string{
		"tcp": "192.0.2.1:80", "tcp6": "[::1]:80", "udp": "127.0.0.1:80", "vsock": "3:1024",
	} {
		conn, err := link.DialAddress(within(t), network, address)
		var refused *core.AddressError
		if !errors.As(err, &refused) {
			t.Errorf("%s %s: %v, %v", network, address, conn, err)
		}
	}
}

// vouching knows where its plugin's addresses lead.
type vouching struct {
	runner.Runner

	addresses map[string]string
}

func (v *vouching) PluginToHost(network, address string) (string, string, error) {
	if translated := v.addresses[address]; translated != "" {
		return "tcp", translated, nil
	}
	return network, address, nil
}

func TestRunnerMayVouchForAnAddress(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	link := launchLinked(t, withRunner(config(t, "serve", ""), func(cmd runner.Command) runner.Runner {
		return &vouching{runner.NewProcess(cmd), map[string]string{"192.0.2.1:80": listener.Addr().String()}}
	}))
	conn, err := link.DialAddress(within(t), "tcp", "192.0.2.1:80")
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}
