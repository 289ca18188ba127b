package yamux_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"

	theirs "github.com/hashicorp/yamux"

	ours "github.com/jackfield-go/jackfield/yamux"
)

func TestStreamsEndInEitherOrder(t *testing.T) {
	eachStream(t, func(t *testing.T, p pair, our *ours.Stream, their *theirs.Stream) {
		if err := our.Acknowledged(t.Context()); err != nil {
			t.Fatal(err)
		}
		send(t, our, "question")
		if err := our.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		expectAll(t, their, "question")
		send(t, their, "answer")
		if err := their.Close(); err != nil {
			t.Fatal(err)
		}
		expectAll(t, our, "answer")
		<-our.Done()
		waitStreams(t, p)
	})
}

func TestTheirHalfCloseLeavesOurSideOpen(t *testing.T) {
	eachStream(t, func(t *testing.T, p pair, our *ours.Stream, their *theirs.Stream) {
		send(t, their, "question")
		if err := their.Close(); err != nil {
			t.Fatal(err)
		}
		expectAll(t, our, "question")
		<-our.PeerDone()
		send(t, our, "answer")
		expect(t, their, "answer")
		if err := our.Close(); err != nil {
			t.Fatal(err)
		}
		waitStreams(t, p)
	})
}

func TestOurResetReachesThem(t *testing.T) {
	eachStream(t, func(t *testing.T, p pair, our *ours.Stream, their *theirs.Stream) {
		send(t, our, "x")
		expect(t, their, "x")
		if err := our.Reset(); err != nil {
			t.Fatal(err)
		}
		if _, err := their.Read(make([]byte, 1)); !errors.Is(err, theirs.ErrConnectionReset) {
			t.Errorf("their read: %v", err)
		}
		waitStreams(t, p)
	})
}

func TestTheirSideLearnsThatNobodyReads(t *testing.T) {
	eachStream(t, func(t *testing.T, p pair, our *ours.Stream, their *theirs.Stream) {
		// A whole window is unread: the writers wait for a window update, and no reader
		// sends it.
		written := make(chan error, 1)
		go func() {
			_, err := their.Write(make([]byte, 600<<10))
			written <- err
		}()
		if _, err := our.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		if err := our.Close(); err != nil {
			t.Fatal(err)
		}
		if err := within(t, "their write", written); !errors.Is(err, theirs.ErrConnectionReset) {
			t.Errorf("their write: %v", err)
		}
	})
}

func TestTheirSideRefusesMoreThanItsBacklog(t *testing.T) {
	bothWays(t, ours.Config{Backlog: 300}, func(t *testing.T, p pair) {
		var last *ours.Stream
		for range 257 {
			st, err := p.ours.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			last = st
		}
		if err := last.Acknowledged(t.Context()); !errors.Is(err, ours.ErrReset) {
			t.Errorf("stream 257: %v", err)
		}
	})
}

func TestOurSideRefusesMoreThanItsBacklog(t *testing.T) {
	bothWays(t, ours.Config{Backlog: 2}, func(t *testing.T, p pair) {
		var last *theirs.Stream
		for range 3 {
			st, err := p.theirs.OpenStream()
			if err != nil {
				t.Fatal(err)
			}
			last = st
		}
		if _, err := last.Read(make([]byte, 1)); !errors.Is(err, theirs.ErrConnectionReset) {
			t.Errorf("stream 3: %v", err)
		}
	})
}

func TestPingsAreAnswered(t *testing.T) {
	bothWays(t, ours.Config{}, func(t *testing.T, p pair) {
		for range 3 {
			if took, err := p.ours.Ping(t.Context()); err != nil || took <= 0 {
				t.Errorf("our ping: %v, %v", took, err)
			}
			if took, err := p.theirs.Ping(); err != nil || took <= 0 {
				t.Errorf("their ping: %v, %v", took, err)
			}
		}
	})
}

func TestGoAwayStopsNewStreamsOnly(t *testing.T) {
	bothWays(t, ours.Config{}, func(t *testing.T, p pair) {
		our, their := p.opened(t)
		if err := p.theirs.GoAway(); err != nil {
			t.Fatal(err)
		}
		if _, err := p.theirs.Ping(); err != nil { // it follows on the wire
			t.Fatal(err)
		}
		if _, err := p.ours.Open(t.Context()); !errors.Is(err, ours.ErrGoAway) {
			t.Errorf("open: %v", err)
		}
		send(t, our, "still")
		expect(t, their, "still")
		send(t, their, "here")
		expect(t, our, "here")
	})
}

func TestTheirCloseEndsOurs(t *testing.T) {
	bothWays(t, ours.Config{}, func(t *testing.T, p pair) {
		our, their := p.opened(t)
		send(t, their, "last words")
		if err := p.theirs.Close(); err != nil {
			t.Fatal(err)
		}
		within(t, "our end", p.ours.Done())
		if err := p.ours.Err(); !errors.Is(err, io.EOF) {
			t.Errorf("reason: %v", err)
		}
		got, err := io.ReadAll(our)
		if string(got) != "last words" || !errors.Is(err, ours.ErrSessionClosed) || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("read %q, %v", got, err)
		}
	})
}

func TestOurCloseEndsTheirs(t *testing.T) {
	bothWays(t, ours.Config{}, func(t *testing.T, p pair) {
		our, their := p.opened(t)
		send(t, our, "last words")
		if err := p.ours.Close(); err != nil {
			t.Fatal(err)
		}
		within(t, "their end", p.theirs.CloseChan())
		expect(t, their, "last words")
		if _, err := our.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("our write: %v", err)
		}
	})
}

func TestBulkGoesThroughBothWaysAtOnce(t *testing.T) {
	for name, cfg := range map[string]ours.Config{"initial window": {}, "1 MiB window": {Window: 1 << 20}} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, cfg, func(t *testing.T, p pair) {
				var all sync.WaitGroup
				for i := range 6 {
					our, their := p.opened(t)
					if i%2 == 0 {
						our, their = p.accepted(t)
					}
					up, down := random(uint64(i)), random(uint64(100+i))
					all.Go(func() { copyIn(t, our, up, our.CloseWrite) })
					all.Go(func() { copyIn(t, their, down, their.Close) })
					all.Go(func() { expectSum(t, their, up) })
					all.Go(func() { expectSum(t, our, down) })
				}
				all.Wait()
			})
		})
	}
}

func TestStreamsInLargeNumbersFromBothEnds(t *testing.T) {
	bothWays(t, ours.Config{}, func(t *testing.T, p pair) {
		const each = 300
		var all sync.WaitGroup
		all.Go(func() {
			for range each {
				our, err := p.ours.Accept(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				all.Go(func() { _, _ = io.Copy(our, our); _ = our.Close() })
			}
		})
		all.Go(func() {
			for range each {
				their, err := p.theirs.Accept()
				if err != nil {
					t.Error(err)
					return
				}
				all.Go(func() { _, _ = io.Copy(their, their); _ = their.Close() })
			}
		})
		for range 4 {
			all.Go(func() {
				for range each / 4 {
					our, err := p.ours.Open(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					send(t, our, "hello")
					_ = our.CloseWrite()
					expectAll(t, our, "hello")
				}
			})
			all.Go(func() {
				for range each / 4 {
					their, err := p.theirs.OpenStream()
					if err != nil {
						t.Error(err)
						return
					}
					send(t, their, "hello")
					_ = their.Close()
					expectAll(t, their, "hello")
				}
			})
		}
		all.Wait()
		waitStreams(t, p)
	})
}

func send(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Errorf("sending %q: %v", text, err)
	}
}

func expect(t *testing.T, r io.Reader, text string) {
	t.Helper()
	got := make([]byte, len(text))
	if _, err := io.ReadFull(r, got); err != nil || string(got) != text {
		t.Errorf("read %q, %v instead of %q", got, err, text)
	}
}

func expectAll(t *testing.T, r io.Reader, text string) {
	t.Helper()
	if got, err := io.ReadAll(r); err != nil || string(got) != text {
		t.Errorf("read %q, %v instead of %q", got, err, text)
	}
}

// waitStreams waits, with pings, until neither side counts any stream.
func waitStreams(t *testing.T, p pair) {
	t.Helper()
	for range 1000 {
		if p.ours.NumStreams() == 0 && p.theirs.NumStreams() == 0 {
			return
		}
		if _, err := p.ours.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	t.Errorf("left: ours %d, theirs %d", p.ours.NumStreams(), p.theirs.NumStreams())
}

func random(seed uint64) []byte {
	p := make([]byte, 3<<20+int(seed))
	_, _ = rand.NewChaCha8([32]byte{byte(seed)}).Read(p)
	return p
}

func copyIn(t *testing.T, w io.Writer, p []byte, end func() error) {
	if _, err := io.CopyBuffer(struct{ io.Writer }{w}, bytes.NewReader(p), make([]byte, 32<<10)); err != nil {
		t.Error(err)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

func expectSum(t *testing.T, r io.Reader, want []byte) {
	got, err := io.ReadAll(r)
	if err != nil || sha256.Sum256(got) != sha256.Sum256(want) {
		t.Errorf("%d of %d bytes arrived, or different bytes (%v)", len(got), len(want), err)
	}
}
