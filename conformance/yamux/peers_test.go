// Package yamux_test checks our yamux sessions against hashicorp/yamux, in both directions,
// and compares their speed.
package yamux_test

import (
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	theirs "github.com/hashicorp/yamux"

	ours "github.com/jackfield-go/jackfield/yamux"
)

func unixPair(t testing.TB) (client, server net.Conn) {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client, err = net.Dial("unix", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err = listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// theirConfig is go-plugin's configuration, with the log off.
func theirConfig() *theirs.Config {
	cfg := theirs.DefaultConfig()
	cfg.LogOutput = io.Discard
	return cfg
}

// pair joins a session of ours and a session of theirs.
type pair struct {
	ours   *ours.Session
	theirs *theirs.Session
}

// bothWays runs a test with our session as the client and as the server.
func bothWays(t *testing.T, cfg ours.Config, test func(t *testing.T, p pair)) {
	t.Run("ours is the client", func(t *testing.T) {
		c, s := unixPair(t)
		test(t, start(t, c, s, cfg, ours.Client, theirs.Server))
	})
	t.Run("ours is the server", func(t *testing.T) {
		c, s := unixPair(t)
		test(t, start(t, s, c, cfg, ours.Server, theirs.Client))
	})
}

func start(
	t *testing.T, our, their net.Conn, cfg ours.Config,
	startOurs func(net.Conn, ours.Config) (*ours.Session, error),
	startTheirs func(io.ReadWriteCloser, *theirs.Config) (*theirs.Session, error),
) pair {
	t.Helper()
	var p pair
	var err error
	if p.ours, err = startOurs(our, cfg); err != nil {
		t.Fatal(err)
	}
	if p.theirs, err = startTheirs(their, theirConfig()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.ours.Close(); p.theirs.Close() })
	return p
}

// opened returns a stream opened by our side, accepted a stream opened by theirs; each with
// both of its ends.
func (p pair) opened(t *testing.T) (our *ours.Stream, their *theirs.Stream) {
	t.Helper()
	our, err := p.ours.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if their, err = p.theirs.AcceptStream(); err != nil {
		t.Fatal(err)
	}
	return our, their
}

func (p pair) accepted(t *testing.T) (our *ours.Stream, their *theirs.Stream) {
	t.Helper()
	their, err := p.theirs.OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	if our, err = p.ours.Accept(t.Context()); err != nil {
		t.Fatal(err)
	}
	return our, their
}

// eachStream runs a test on a stream opened by our side and on a stream opened by theirs.
func eachStream(t *testing.T, test func(t *testing.T, p pair, our *ours.Stream, their *theirs.Stream)) {
	bothWays(t, ours.Config{}, func(t *testing.T, p pair) {
		t.Run("we opened it", func(t *testing.T) {
			our, their := p.opened(t)
			test(t, p, our, their)
		})
	})
	bothWays(t, ours.Config{}, func(t *testing.T, p pair) {
		t.Run("they opened it", func(t *testing.T) {
			our, their := p.accepted(t)
			test(t, p, our, their)
		})
	})
}

// within fails the test if the expected event does not come.
func within[T any](t *testing.T, what string, c <-chan T) (v T) {
	t.Helper()
	timer := time.NewTimer(20 * time.Second)
	defer timer.Stop()
	select {
	case v = <-c:
	case <-timer.C:
		t.Fatalf("%s: nothing happened", what)
	}
	return v
}
