package yamux

import (
	"bytes"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sync"
	"testing"
)

// unixPair returns both ends of a unix socket connection.
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

func pipePair(testing.TB) (client, server net.Conn) { return net.Pipe() }

// onBoth runs a test over a connection with direct writing, and over a
// connection served by the flusher only.
func onBoth(t *testing.T, cfg Config, test func(t *testing.T, client, server *Session)) {
	for _, kind := range []struct {
		name string
		pair func(testing.TB) (net.Conn, net.Conn)
	}{{"unix", unixPair}, {"pipe", pipePair}} {
		t.Run(kind.name, func(t *testing.T) {
			c, s := kind.pair(t)
			client, server := sessions(t, c, s, cfg)
			test(t, client, server)
		})
	}
}

func sessions(t testing.TB, c, s net.Conn, cfg Config) (client, server *Session) {
	t.Helper()
	client, err := Client(c, cfg)
	if err != nil {
		t.Fatal(err)
	}
	server, err = Server(s, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// streams opens a stream from a to b.
func streams(t testing.TB, a, b *Session) (opened, accepted *Stream) {
	t.Helper()
	opened, err := a.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err = b.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return opened, accepted
}

func TestStreamsCarryTheirBytesBothWays(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, client, server *Session) {
		const count, size = 16, 400 << 10
		var all sync.WaitGroup
		for i := range count {
			a, b := streams(t, client, server)
			if i%2 == 1 {
				a, b = b, a
			}
			all.Go(func() { sendSeeded(t, a, uint64(i), size) })
			all.Go(func() { sendSeeded(t, b, uint64(i+1000), size) })
			all.Go(func() { expectSeeded(t, b, uint64(i), size) })
			all.Go(func() { expectSeeded(t, a, uint64(i+1000), size) })
		}
		all.Wait()
		if n := client.NumStreams() + server.NumStreams(); n != 0 {
			t.Errorf("%d streams left", n)
		}
	})
}

func seeded(seed uint64, size int) []byte {
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	p := make([]byte, size)
	_, _ = r.Read(p)
	return p
}

// sendSeeded writes random bytes in pieces of random sizes, and ends the stream.
func sendSeeded(t *testing.T, st *Stream, seed uint64, size int) {
	p := seeded(seed, size)
	r := rand.New(rand.NewPCG(seed, 1))
	for len(p) > 0 {
		n := min(len(p), 1+r.IntN(1<<r.IntN(19)))
		if w, err := st.Write(p[:n]); err != nil || w != n {
			t.Errorf("write: %d of %d, %v", w, n, err)
			return
		}
		p = p[n:]
	}
	if err := st.CloseWrite(); err != nil {
		t.Error(err)
	}
}

func expectSeeded(t *testing.T, st *Stream, seed uint64, size int) {
	p, err := io.ReadAll(struct{ io.Reader }{st})
	if err != nil {
		t.Error(err)
	}
	if len(p) != size || sha256.Sum256(p) != sha256.Sum256(seeded(seed, size)) {
		t.Errorf("stream %d: got %d bytes, want the %d sent", st.ID(), len(p), size)
	}
}

func TestStreamCopiesWithoutBuffersInBetween(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, client, server *Session) {
		a, b := streams(t, client, server)
		sent := seeded(1, 3<<20)
		go func() {
			_, _ = a.ReadFrom(bytes.NewReader(sent))
			_ = a.CloseWrite()
		}()
		var got bytes.Buffer
		if n, err := b.WriteTo(&got); err != nil || n != int64(len(sent)) {
			t.Fatalf("%d, %v", n, err)
		}
		if !bytes.Equal(got.Bytes(), sent) {
			t.Error("the bytes differ")
		}
	})
}
