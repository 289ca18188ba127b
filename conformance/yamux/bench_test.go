package yamux_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	theirs "github.com/hashicorp/yamux"

	"github.com/jackfield-go/jackfield/tlsutil"
	ours "github.com/jackfield-go/jackfield/yamux"
)

// The benchmarks compare three kinds of session: theirs, theirs on a coalescing connection,
// and ours. A coalescing connection holds back a data frame's header until its body comes,
// the best possible from outside. Machine load varies, so compare medians over several
// whole passes:
//
//	go test -c -o bench ./yamux
//	for i in 1 2 3 4 5 6 7; do ./bench -test.run '^$' -test.bench . ; done
var implementations = []struct {
	name string
	pair func(t testing.TB, client, server net.Conn) (session, session)
}{
	{"theirs", theirPair},
	{"theirs-coalesced", func(t testing.TB, c, s net.Conn) (session, session) {
		return theirPair(t, &coalescing{Conn: c}, &coalescing{Conn: s})
	}},
	{"ours", ourPair},
}

// session is the interface used by the benchmarks.
type session interface {
	open(t testing.TB) net.Conn
	accept(t testing.TB) net.Conn
	Close() error
}

type ourSession struct{ *ours.Session }

func (s ourSession) open(t testing.TB) net.Conn {
	st, err := s.Open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func (s ourSession) accept(t testing.TB) net.Conn {
	st, err := s.Accept(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

type theirSession struct{ *theirs.Session }

func (s theirSession) open(t testing.TB) net.Conn {
	st, err := s.OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func (s theirSession) accept(t testing.TB) net.Conn {
	st, err := s.AcceptStream()
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func ourPair(t testing.TB, c, s net.Conn) (client, server session) {
	a, err := ours.Client(c, ours.Config{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := ours.Server(s, ours.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return ourSession{a}, ourSession{b}
}

func theirPair(t testing.TB, c, s net.Conn) (client, server session) {
	a, err := theirs.Client(c, theirConfig())
	if err != nil {
		t.Fatal(err)
	}
	b, err := theirs.Server(s, theirConfig())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return theirSession{a}, theirSession{b}
}

// coalescing joins the two writes of a data frame. hashicorp/yamux writes from a single
// goroutine, and always the whole header first.
type coalescing struct {
	net.Conn

	frame []byte
	body  int
}

func (c *coalescing) Write(p []byte) (int, error) {
	if c.body == 0 && len(p) == 12 && p[1] == 0 {
		c.body = int(p[8])<<24 | int(p[9])<<16 | int(p[10])<<8 | int(p[11])
		if c.body > 0 {
			c.frame = append(c.frame[:0], p...)
			return len(p), nil
		}
	}
	if c.body == 0 {
		return c.Conn.Write(p)
	}
	c.body = 0
	if len(p) <= 4<<10 {
		c.frame = append(c.frame, p...)
		_, err := c.Conn.Write(c.frame)
		return len(p), err
	}
	pieces := net.Buffers{c.frame, p}
	_, err := pieces.WriteTo(c.Conn)
	return len(p), err
}

func BenchmarkRoundTrip64(b *testing.B) {
	b.Run("socket", func(b *testing.B) { // without a session: the floor
		c, s := unixPair(b)
		roundTrips(b, c, s)
	})
	for _, impl := range implementations {
		b.Run(impl.name, func(b *testing.B) {
			c, s := unixPair(b)
			client, server := impl.pair(b, c, s)
			roundTrips(b, client.open(b), server.accept(b))
		})
	}
}

func BenchmarkRoundTrip64TLS(b *testing.B) {
	for _, impl := range implementations {
		b.Run(impl.name, func(b *testing.B) {
			c, s := tlsPair(b)
			client, server := impl.pair(b, c, s)
			roundTrips(b, client.open(b), server.accept(b))
		})
	}
}

func roundTrips(b *testing.B, a, z net.Conn) {
	go func() { _, _ = io.CopyBuffer(struct{ io.Writer }{z}, struct{ io.Reader }{z}, make([]byte, 64)) }()
	message := make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Write(message); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(a, message); err != nil {
			b.Fatal(err)
		}
	}
}

// tlsPair is a socket with AutoMTLS's TLS on it.
func tlsPair(b *testing.B) (client, server net.Conn) {
	host, hostCert := identity(b)
	plugin, pluginCert := identity(b)
	c, s := unixPair(b)
	return tls.Client(c, tlsutil.Client(host, pluginCert)), tls.Server(s, tlsutil.Server(plugin, hostCert))
}

func identity(b *testing.B) (*tlsutil.Identity, *x509.Certificate) {
	own, err := tlsutil.NewIdentity()
	if err != nil {
		b.Fatal(err)
	}
	cert, err := tlsutil.ParseDER(own.DER())
	if err != nil {
		b.Fatal(err)
	}
	return own, cert
}

func BenchmarkBulk256MiB(b *testing.B) {
	const size, piece = 256 << 20, 32 << 10
	for _, impl := range implementations {
		b.Run(impl.name, func(b *testing.B) {
			c, s := unixPair(b)
			client, server := impl.pair(b, c, s)
			a, z := client.open(b), server.accept(b)
			b.SetBytes(size)
			for b.Loop() {
				written := make(chan struct{})
				go func() {
					defer close(written)
					p := make([]byte, piece)
					for range size / piece {
						if _, err := a.Write(p); err != nil {
							b.Error(err)
							return
						}
					}
				}()
				if _, err := io.CopyBuffer(io.Discard, io.LimitReader(z, size), make([]byte, piece)); err != nil {
					b.Fatal(err)
				}
				<-written
			}
		})
	}
}

// BenchmarkEndOfPeer measures the time from the end of the peer's connection until three
// blocked readers, each on its own stream, have returned.
func BenchmarkEndOfPeer(b *testing.B) {
	for _, impl := range []struct {
		name  string
		start func(testing.TB, net.Conn) session
	}{
		{"theirs", func(t testing.TB, c net.Conn) session {
			s, err := theirs.Server(c, theirConfig())
			if err != nil {
				t.Fatal(err)
			}
			return theirSession{s}
		}},
		{"ours", func(t testing.TB, c net.Conn) session {
			s, err := ours.Server(c, ours.Config{})
			if err != nil {
				t.Fatal(err)
			}
			return ourSession{s}
		}},
	} {
		b.Run(impl.name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				took = append(took, endOfPeer(b, impl.start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
			b.ReportMetric(float64(took[len(took)-1].Microseconds()), "max-µs")
		})
	}
}

func endOfPeer(b *testing.B, start func(testing.TB, net.Conn) session) time.Duration {
	c, s := unixPair(b)
	server := start(b, s)
	defer server.Close()
	client, err := ours.Client(c, ours.Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	var readers, ready sync.WaitGroup
	for range 3 {
		a, err := client.Open(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		z := server.accept(b)
		ready.Add(1)
		readers.Go(func() {
			p := make([]byte, 1)
			_, _ = io.ReadFull(z, p)
			ready.Done()
			_, _ = z.Read(p)
		})
		if _, err := a.Write([]byte("x")); err != nil {
			b.Fatal(err)
		}
	}
	ready.Wait()
	if _, err := client.Ping(b.Context()); err != nil {
		b.Fatal(err)
	}
	begun := time.Now()
	c.Close()
	readers.Wait()
	return time.Since(begun)
}
