package yamux

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func isTimeout(err error) bool {
	var network net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) && errors.As(err, &network) && network.Timeout()
}

func TestReadDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := net.Pipe()
		client, server := sessions(t, c, s, Config{})
		a, b := streams(t, client, server)
		read := func() error { _, err := b.Read(make([]byte, 8)); return err }

		begun := time.Now()
		b.SetReadDeadline(begun.Add(time.Minute))
		if err := read(); !isTimeout(err) || time.Since(begun) != time.Minute {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
		if err := read(); !isTimeout(err) {
			t.Errorf("once more: %v", err)
		}

		b.SetReadDeadline(time.Time{})
		reading := result(read)
		synctest.Wait()
		b.SetReadDeadline(time.Unix(1, 0))
		if err := <-reading; !isTimeout(err) {
			t.Errorf("a deadline in the past while reading: %v", err)
		}

		mustWrite(t, a, "kept")
		synctest.Wait()
		if err := read(); !isTimeout(err) {
			t.Errorf("with data there: %v", err)
		}
		b.SetReadDeadline(time.Now().Add(time.Minute))
		b.SetReadDeadline(time.Now().Add(time.Hour)) // moves the timer
		p := make([]byte, 8)
		if n, err := b.Read(p); err != nil || string(p[:n]) != "kept" {
			t.Errorf("read %q, %v", p[:n], err)
		}
		begun = time.Now()
		if err := read(); !isTimeout(err) || time.Since(begun) != time.Hour {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
	})
}

func TestWriteDeadlineWhileTheWindowIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := net.Pipe()
		client, server := sessions(t, c, s, Config{})
		a, b := streams(t, client, server)
		sent := seeded(1, initialWindow+1000)
		a.SetWriteDeadline(time.Now().Add(time.Minute))
		n, err := a.Write(sent)
		if n != initialWindow || !isTimeout(err) {
			t.Errorf("wrote %d, %v", n, err)
		}
		if n, err := a.Write(sent[n:]); n != 0 || !isTimeout(err) {
			t.Errorf("once more: wrote %d, %v", n, err)
		}
		a.SetWriteDeadline(time.Time{})
		go func() { a.Write(sent[n:]); a.CloseWrite() }()
		if got, err := io.ReadAll(b); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
}

// A peer that has stopped reading fills the connection. Writers must leave it
// by deadline, with every frame intact.
func TestWriteDeadlineWhileTheConnectionIsFull(t *testing.T) {
	for name, interrupt := range map[string]func(st *Stream){
		"set before":    func(st *Stream) { st.SetWriteDeadline(time.Now().Add(30 * time.Millisecond)) },
		"set meanwhile": func(st *Stream) { go interruptWriter(st) },
	} {
		t.Run(name, func(t *testing.T) {
			for kind, pair := range map[string]func(testing.TB) (net.Conn, net.Conn){"unix": unixPair, "pipe": pipePair} {
				t.Run(kind, func(t *testing.T) {
					c, s := pair(t)
					session, peer := withRawPeer(t, Config{}, c, s)
					peer.open(1, 64<<20)
					st := peer.accept(session)
					writeToStopped(t, peer, st, interrupt)
				})
			}
		})
	}
}

func writeToStopped(t *testing.T, peer rawPeer, st *Stream, interrupt func(*Stream)) {
	sent := seeded(5, 8<<20)
	total := 0
	for range 3 {
		st.SetWriteDeadline(time.Time{})
		interrupt(st)
		n, err := st.Write(sent[total:])
		if !isTimeout(err) {
			t.Fatalf("wrote %d, %v", n, err)
		}
		total += n
	}
	st.SetWriteDeadline(time.Time{})
	go func() {
		if n, err := st.Write(sent[total:]); err != nil {
			t.Errorf("the rest: %d, %v", n, err)
		}
		st.CloseWrite()
	}()
	var got []byte
	for {
		f, p := peer.next()
		got = append(got, p...)
		if f.has(flagFIN) {
			break
		}
	}
	if !bytes.Equal(got, sent) {
		t.Errorf("the peer got %d bytes, want the %d written", len(got), len(sent))
	}
}

// interruptWriter sets a deadline in the past once the stream's write is waiting.
func interruptWriter(st *Stream) {
	out := &st.session.out
	for last := -1; ; runtime.Gosched() {
		st.mu.Lock()
		window := int(st.sendWindow)
		st.mu.Unlock()
		out.mu.Lock()
		stuck := window == last && (out.writer == st || len(out.waiting) > 0)
		out.mu.Unlock()
		if stuck {
			break
		}
		last = window
	}
	st.SetWriteDeadline(time.Unix(1, 0))
}

func TestCloseAndResetDoNotWaitForAStoppedPeer(t *testing.T) {
	for name, end := range map[string]func(st *Stream) error{
		"Close": (*Stream).Close, "Reset": (*Stream).Reset, "CloseWrite": (*Stream).CloseWrite,
	} {
		t.Run(name, func(t *testing.T) {
			c, s := unixPair(t)
			session, peer := withRawPeer(t, Config{Linger: -1}, c, s)
			peer.open(1, 64<<20)
			st := peer.accept(session)
			writing := result(func() error { _, err := st.Write(make([]byte, 8<<20)); return err })
			for stuck := false; !stuck; runtime.Gosched() {
				session.out.mu.Lock()
				stuck = session.out.writer == st
				session.out.mu.Unlock()
			}
			if err := end(st); err != nil {
				t.Error(err)
			}
			if err := within(t, "write", writing); !errors.Is(err, ErrClosed) {
				t.Errorf("write: %v", err)
			}
			for {
				f, p := peer.next()
				if f.kind == typeWindowUpdate {
					break // the end comes after whole frames
				}
				if len(p) != int(f.length) {
					t.Fatal("a frame is cut")
				}
			}
		})
	}
}

func TestWriteInterruptedLeavesOtherStreamsRunning(t *testing.T) {
	c, s := unixPair(t)
	session, peer := withRawPeer(t, Config{}, c, s)
	peer.open(1, 64<<20)
	first := peer.accept(session)
	peer.open(3, 0)
	second := peer.accept(session)
	first.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
	n, err := first.Write(make([]byte, 8<<20))
	if !isTimeout(err) {
		t.Fatal(err)
	}
	go mustWrite(t, second, "hello") // may wait for the connection
	got := 0
	for {
		f, p := peer.next()
		if f.id == 3 {
			if string(p) != "hello" {
				t.Errorf("stream 3: %q", p)
			}
			break
		}
		got += len(p)
	}
	if got != n {
		t.Errorf("stream 1: the peer got %d bytes of %d", got, n)
	}
}
