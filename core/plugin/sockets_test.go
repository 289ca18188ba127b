package plugin_test

import (
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/plugintest"
)

// ports are the variables of a range.
func ports(from, to int) map[string]string {
	return map[string]string{handshake.EnvMinPort: strconv.Itoa(from), handshake.EnvMaxPort: strconv.Itoa(to)}
}

// occupied is a TCP port that is in use until the test ends.
func occupied(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().(*net.TCPAddr).Port
}

func TestTCPIsOnTheLoopbackAddressInTheHostsRange(t *testing.T) {
	plugintest.NoLeaks(t)
	taken := occupied(t)
	last := min(taken+50, 65535)
	cfg := config(new(faketransport.Transport))
	cfg.Network = "tcp"
	line := run(t, surround(ports(taken, last)), cfg).parsed(t)
	host, port, err := net.SplitHostPort(line.Address)
	if err != nil || line.Network != "tcp" || host != "127.0.0.1" {
		t.Fatalf("line %+v, %v", line, err)
	}
	if n, _ := strconv.Atoi(port); n <= taken || n > last {
		t.Errorf("port %s is not above %d and up to %d", port, taken, last)
	}
}

func TestTCPWithoutARangeTakesAnyPort(t *testing.T) {
	cfg := config(new(faketransport.Transport))
	cfg.Network = "tcp"
	if line := run(t, surround(nil), cfg).parsed(t); !strings.HasPrefix(line.Address, "127.0.0.1:") {
		t.Errorf("line %+v", line)
	}
}

func TestPortRangeErrorSaysThatItIsExhausted(t *testing.T) {
	taken := occupied(t)
	cfg := config(new(faketransport.Transport))
	cfg.Network = "tcp"
	err := refuse(t, surround(ports(taken, taken)), cfg)
	mention(t, err, strconv.Itoa(taken), "in use", "widen the range")
}

func TestPortRangeIsIgnoredOnAUnixSocket(t *testing.T) {
	cfg := config(new(faketransport.Transport))
	cfg.Network = "unix"
	r := run(t, surround(map[string]string{handshake.EnvMinPort: "9", handshake.EnvMaxPort: "x"}), cfg)
	if r.parsed(t).Network != "unix" || !strings.Contains(r.log.String(), handshake.EnvMaxPort) {
		t.Errorf("line %q, log %q", r.line, r.log)
	}
}
