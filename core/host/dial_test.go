package host

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/runner"
)

// translating is a runner that decides for itself what its plugin's addresses
// mean.
type translating struct{ runner.Runner }

func TestDialKeepsAChildsAddressesOnThisMachine(t *testing.T) {
	child := &process{runner: runner.NewProcess(runner.Command{}), sockets: &sockets{secured: true}}
	elsewhere := &process{runner: translating{child.runner}, sockets: &sockets{secured: true}}
	for _, test := range []struct {
		network, address string
		child, elsewhere bool // whether it is connected to
	}{
		{"unix", "/run/plugin.sock", true, true},
		{"tcp", "127.0.0.1:10000", true, true},
		{"tcp", "127.255.0.3:10000", true, true},
		{"tcp", "[::1]:10000", true, true},
		{"tcp", "[::ffff:127.0.0.1]:10000", true, true},
		{"tcp", "localhost:10000", true, true},
		{"tcp", "LOCALHOST:10000", true, true},
		{"tcp", "0.0.0.0:10000", true, true},
		{"tcp", "[::]:10000", true, true},
		{"tcp", ":10000", true, true},
		{"tcp", "192.0.2.1:80", false, true},
		{"tcp", "[2001:db8::1]:80", false, true},
		{"tcp", "[::ffff:192.0.2.1]:80", false, true},
		{"tcp", "[fe80::1%lo]:80", false, true},
		{"tcp", "169.254.169.254:80", false, true},
		{"tcp", "example.com:80", false, true},
		{"tcp", "localhost.example.com:80", false, true},
		{"tcp", "127.1:80", false, true},
		{"tcp", "2130706433:80", false, true},
		{"tcp", "127.0.0.1", false, true},
		{"tcp", "", false, true},
		{"tcp4", "127.0.0.1:80", false, false},
		{"udp", "127.0.0.1:80", false, false},
		{"ip:icmp", "127.0.0.1", false, false},
		{"unixgram", "/run/plugin.sock", false, false},
		{"", "", false, false},
	} {
		for _, it := range []struct {
			name   string
			of     *process
			allows bool
		}{{"a child", child, test.child}, {"a custom runner", elsewhere, test.elsewhere}} {
			err := it.of.refuse(test.network, test.address)
			var refused *core.AddressError
			switch {
			case it.allows && err != nil:
				t.Errorf("%s at %s %q: %v", it.name, test.network, test.address, err)
			case !it.allows && !errors.As(err, &refused):
				t.Errorf("%s at %s %q is not refused: %v", it.name, test.network, test.address, err)
			case !it.allows && (refused.Network != test.network || refused.Address != test.address):
				t.Errorf("%s at %s %q is refused as %+v", it.name, test.network, test.address, refused)
			}
		}
	}
}

func TestDialJudgesANameByItsAddress(t *testing.T) {
	for resolved, allowed := range map[string]bool{
		"127.0.0.1:80": true, "[::1]:80": true, "0.0.0.0:80": true, ":80": true,
		"192.0.2.1:80": false, "[2001:db8::1]:80": false, "unreadable": false,
	} {
		err := refuseResolved("tcp", "localhost:80", resolved)
		if (err == nil) != allowed {
			t.Errorf("localhost leads to %s: %v", resolved, err)
		}
		if err != nil && !strings.Contains(err.Error(), resolved) {
			t.Errorf("the error does not say where: %v", err)
		}
	}
}

func TestDialTakesEveryAddressOfALocalListener(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	child := &process{runner: runner.NewProcess(runner.Command{}), sockets: &sockets{secured: true}}
	for _, name := range []string{"127.0.0.1", "localhost", "0.0.0.0", ""} {
		conn, err := child.dial(t.Context(), "tcp", net.JoinHostPort(name, port))
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		conn.Close()
	}
}

// forwarding is a runner whose plugin is reached at another address than its own.
type forwarding struct {
	runner.Runner

	to string
}

func (f forwarding) PluginToHost(string, string) (string, string, error) { return "tcp", f.to, nil }

func TestPlainTCPWarningNamesTheReach(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	address := listener.Addr().String()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	const machine, network = "every user of this machine", "over the network"
	child := runner.NewProcess(runner.Command{})
	for name, test := range map[string]struct {
		of             runner.Runner
		network, named string
		says           string
	}{
		"loopback":                     {child, "tcp", address, machine},
		"a name":                       {child, "tcp", "localhost:" + port, machine},
		"all addresses":                {child, "tcp", "0.0.0.0:" + port, network},
		"all addresses, of IPv6 too":   {child, "tcp", "[::]:" + port, network},
		"no address":                   {child, "tcp", ":" + port, network},
		"all addresses of a container": {forwarding{child, address}, "tcp", "0.0.0.0:1", network},
		"another machine's":            {forwarding{child, "0.0.0.0:" + port}, "tcp", "127.0.0.1:1", network},
		"a unix socket that is brought here over TCP": {forwarding{child, address}, "unix", "/s", machine},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			p := &process{runner: test.of, sockets: new(sockets), logger: slog.New(slog.NewTextHandler(&log, nil))}
			for range 2 {
				conn, err := p.dial(t.Context(), test.network, test.named)
				if err != nil {
					t.Fatal(err)
				}
				_ = conn.Close()
			}
			if got := log.String(); strings.Count(got, "WARN") != 1 || !strings.Contains(got, test.says) {
				t.Errorf("it says %q", got)
			}
		})
	}
}
