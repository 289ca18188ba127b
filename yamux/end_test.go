package yamux

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func TestConfigOutOfBoundsIsRefused(t *testing.T) {
	for name, cfg := range map[string]Config{
		"window too small": {Window: 1000},
		"window too big":   {Window: 1 << 31},
		"backlog":          {Backlog: -1},
		"huge backlog":     {Backlog: maxBacklog + 1},
		"keep-alive":       {KeepAlive: -1},
		"close timeout":    {CloseTimeout: -1},
	} {
		if s, err := Client(nil, cfg); !errors.Is(err, ErrConfig) || s != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// everythingWaits starts each operation that can wait.
func everythingWaits(t *testing.T, s *Session, st *Stream) map[string]<-chan error {
	return map[string]<-chan error{
		"Accept":       result(func() error { _, err := s.Accept(t.Context()); return err }),
		"Open":         result(func() error { _, err := s.Open(t.Context()); return err }),
		"Read":         result(func() error { _, err := st.Read(make([]byte, 1)); return err }),
		"WriteTo":      result(func() error { _, err := st.WriteTo(io.Discard); return err }),
		"Write":        result(func() error { _, err := st.Write(make([]byte, 2*initialWindow)); return err }),
		"Write, too":   result(func() error { _, err := st.Write(make([]byte, 2*initialWindow)); return err }),
		"Acknowledged": result(func() error { return st.Acknowledged(t.Context()) }),
		"Ping":         result(func() error { _, err := s.Ping(t.Context()); return err }),
	}
}

func TestSessionEndWakesEverything(t *testing.T) {
	tests := map[string]struct {
		end     func(s *Session, peer rawPeer)
		reason  error // the session's
		unwraps error // the operations'
	}{
		"Close": {func(s *Session, _ rawPeer) { s.Close() }, ErrSessionClosed, net.ErrClosed},
		"the peer closes": {
			func(_ *Session, p rawPeer) { p.conn.Close() }, io.EOF, io.ErrUnexpectedEOF,
		},
		"the peer closes inside a header": {
			func(_ *Session, p rawPeer) { p.conn.Write([]byte("\x00\x00")); p.conn.Close() },
			io.ErrUnexpectedEOF, io.ErrUnexpectedEOF,
		},
		"the peer closes inside a frame": {
			func(_ *Session, p rawPeer) {
				p.conn.Write(append(frame{kind: typeData, id: 99, length: 7}.append(nil), "half"...))
				p.conn.Close()
			},
			io.ErrUnexpectedEOF, io.ErrUnexpectedEOF,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s := net.Pipe()
				session, peer := withRawPeer(t, Config{Backlog: 1}, c, s)
				go io.Copy(io.Discard, c)
				st, err := session.Open(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				waiting := everythingWaits(t, session, st)
				synctest.Wait()
				test.end(session, peer)
				for what, c := range waiting {
					if err := <-c; !errors.Is(err, ErrSessionClosed) || !errors.Is(err, net.ErrClosed) || !errors.Is(err, test.unwraps) {
						t.Errorf("%s: %v", what, err)
					}
				}
				<-session.Done()
				<-st.Done()
				<-st.PeerDone()
				if err := session.Err(); err != test.reason {
					t.Errorf("reason: %v", err)
				}
				if n := session.NumStreams(); n != 0 {
					t.Errorf("%d streams left", n)
				}
				for what, c := range everythingWaits(t, session, st) {
					if err := <-c; !errors.Is(err, ErrSessionClosed) {
						t.Errorf("%s afterwards: %v", what, err)
					}
				}
				if err := session.Close(); err != nil {
					t.Error(err)
				}
				if err := session.Err(); err != test.reason {
					t.Errorf("reason after Close: %v", err)
				}
			})
		})
	}
}

func TestStreamReadsAsCompleteOnlyIfEnded(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, client, server *Session) {
		whole, cut := mustOpen(t, client), mustOpen(t, client)
		mustWrite(t, whole, "all of it")
		whole.CloseWrite()
		mustWrite(t, cut, "half of")
		client.Close()
		within(t, "end", server.Done())

		b, err := server.Accept(t.Context()) // the waiting stream is still there
		if err != nil {
			t.Fatal(err)
		}
		expectAll(t, b, "all of it")
		if b, err = server.Accept(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(b)
		if string(got) != "half of" || !errors.Is(err, io.ErrUnexpectedEOF) || !errors.Is(err, ErrSessionClosed) {
			t.Errorf("read %q, %v", got, err)
		}
		if _, err := server.Accept(t.Context()); !errors.Is(err, ErrSessionClosed) {
			t.Errorf("accept: %v", err)
		}
		if err := server.Err(); err != io.EOF {
			t.Errorf("reason: %v", err)
		}
	})
}

func TestCloseSendsTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := net.Pipe() // a pipe sends all frames through the queue
		session, peer := withRawPeer(t, Config{}, c, s)
		st := mustOpen(t, session)
		mustWrite(t, st, "last words")
		closed := result(session.Close)
		peer.expect(frame{kind: typeWindowUpdate, flags: flagSYN, id: 2})
		if _, p := peer.next(); string(p) != "last words" {
			t.Errorf("got %q", p)
		}
		peer.expect(frame{kind: typeGoAway})
		if err := <-closed; err != nil {
			t.Error(err)
		}
	})
}

func TestCloseWaitsForAStoppedPeerUpToLinger(t *testing.T) {
	for linger, want := range map[time.Duration]time.Duration{
		-1: 0, 0: defaultLinger, time.Minute: time.Minute,
	} {
		synctest.Test(t, func(t *testing.T) {
			c, s := net.Pipe()
			session, _ := withRawPeer(t, Config{Linger: linger}, c, s)
			mustOpen(t, session)
			begun := time.Now()
			session.Close()
			if took := time.Since(begun); took != want {
				t.Errorf("Linger %v: took %v", linger, took)
			}
		})
	}
}

func TestReadReturnsDataOfADeadPeer(t *testing.T) {
	c, s := unixPair(t)
	session, peer := withRawPeer(t, Config{}, c, s)
	peer.open(1, 0)
	st := peer.accept(session)
	peer.send(frame{kind: typeData, flags: flagFIN, id: 1, length: 5}, "words")
	c.Close()
	for err := error(nil); err == nil; { // until the connection fails
		_, err = st.Write([]byte("x"))
	}
	expectAll(t, st, "words")
	within(t, "end", session.Done())
}

func TestKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := net.Pipe()
		session, peer := withRawPeer(t, Config{KeepAlive: time.Minute, KeepAliveTimeout: time.Second}, c, s)
		begun := time.Now()
		for i := range uint32(3) {
			peer.expect(frame{kind: typePing, flags: flagSYN, length: i})
			peer.send(frame{kind: typePing, flags: flagACK, length: i}, "")
		}
		if took := time.Since(begun); took != 3*time.Minute {
			t.Errorf("three pings in %v", took)
		}
		peer.next()
		peer.next() // the second ping
		<-session.Done()
		if took := time.Since(begun); took != 4*time.Minute+2*time.Second {
			t.Errorf("ended after %v", took)
		}
		if err := session.Err(); !errors.Is(err, ErrKeepAliveTimeout) {
			t.Errorf("reason: %v", err)
		}
	})
}

func TestASessionOutlivesAStopOfItsOwnProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := net.Pipe()
		session, peer := withRawPeer(t, Config{KeepAlive: time.Minute, KeepAliveTimeout: 30 * time.Second}, c, s)
		peer.expect(frame{kind: typePing, flags: flagSYN})
		<-time.After(30*time.Second + lastChance/2) // what the peer answered is not read before
		peer.send(frame{kind: typePing, flags: flagACK}, "")
		peer.expect(frame{kind: typePing, flags: flagSYN, length: 1})
		peer.send(frame{kind: typePing, flags: flagACK, length: 1}, "")
		peer.expect(frame{kind: typePing, flags: flagSYN, length: 2})
		if err := session.Err(); err != nil {
			t.Error(err)
		}
	})
}

func TestPingTakesAContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := net.Pipe()
		session, peer := withRawPeer(t, Config{}, c, s)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		pinged := result(func() error { _, err := session.Ping(ctx); return err })
		peer.next()
		if err := <-pinged; !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		peer.send(frame{kind: typePing, flags: flagACK}, "") // too late, and harmless
	})
}

func TestOpenAndAcceptTakeAContext(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, client, _ *Session) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := client.Open(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("open: %v", err)
		}
		if _, err := client.Accept(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("accept: %v", err)
		}
	})
}

func TestSessionLeavesNothingAfterClose(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 20 {
		c, s := unixPair(t)
		client, server := sessions(t, c, s, Config{KeepAlive: time.Hour})
		a, b := streams(t, client, server)
		a.SetDeadline(time.Now().Add(time.Hour))
		mustWrite(t, a, "x")
		b.Close()
		client.Close()
		server.Close()
	}
	after := runtime.NumGoroutine()
	// Ended goroutines still count for a moment, or longer on a busy machine.
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); runtime.Gosched() {
		if after = runtime.NumGoroutine(); after <= before {
			return
		}
	}
	buf := make([]byte, 1<<16)
	t.Errorf("%d goroutines more\n%s", after-before, buf[:runtime.Stack(buf, true)])
}

func TestIdleSessionIsSmall(t *testing.T) {
	const count, limit = 50, 20_000
	c, s := make([]net.Conn, count), make([]net.Conn, count)
	for i := range count {
		c[i], s[i] = unixPair(t)
	}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // pools need two collections
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, goroutines := heap(), runtime.NumGoroutine()
	var kept []*Session
	for i := range count {
		client, server := sessions(t, c[i], s[i], Config{})
		for range 3 {
			a, b := streams(t, client, server)
			go func() { mustWrite(t, a, string(make([]byte, 100<<10))) }()
			if _, err := io.ReadFull(b, make([]byte, 100<<10)); err != nil {
				t.Fatal(err)
			}
		}
		kept = append(kept, client, server)
	}
	for _, session := range kept {
		if _, err := session.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	perSession := int64(heap()-before) / (2 * count)
	if perSession > limit {
		t.Errorf("%d bytes for an idle session with three streams, more than %d", perSession, limit)
	}
	if n := runtime.NumGoroutine() - goroutines; n > 2*count {
		t.Errorf("%d goroutines for %d sessions", n, 2*count)
	}
	t.Logf("%d bytes a session", perSession)
	runtime.KeepAlive(kept)
}

func mustOpen(t testing.TB, s *Session) *Stream {
	t.Helper()
	st, err := s.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// A caller waiting for Done may abort streams before the session reaches them.
// The peer must see the session's end, not a stream's.
func TestSessionEndHidesStreamResets(t *testing.T) {
	for range 100 {
		c, s := unixPair(t)
		session, peer := withRawPeer(t, Config{}, c, s)
		var opened []*Stream
		for id := uint32(1); id < 20; id += 2 {
			peer.open(id, 0)
			st := peer.accept(session)
			opened = append(opened, st)
		}
		resets := make(chan struct{})
		go func() {
			defer close(resets)
			<-session.Done()
			for _, st := range opened {
				_ = st.Reset()
			}
		}()
		if err := session.Close(); err != nil {
			t.Fatal(err)
		}
		<-resets
		if got, _ := peer.next(); got.kind != typeGoAway {
			t.Fatalf("the peer got %+v first", got)
		}
	}
}
