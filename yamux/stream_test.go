package yamux

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestCloseWriteEndsOneDirection(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, client, server *Session) {
		a, b := streams(t, client, server)
		mustWrite(t, a, "question")
		if err := a.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Write([]byte("x")); !errors.Is(err, ErrClosed) || !errors.Is(err, net.ErrClosed) {
			t.Errorf("write after CloseWrite: %v", err)
		}
		expectAll(t, b, "question")
		<-b.PeerDone()
		mustWrite(t, b, "answer")
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		expectAll(t, a, "answer")
		<-a.Done()
		<-b.Done()
		if err := errors.Join(a.Close(), a.Close(), b.CloseWrite()); !errors.Is(err, ErrClosed) {
			t.Errorf("CloseWrite after Close: %v", err)
		}
	})
}

func TestCloseEndsReadsAndWritesOnThisSide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := net.Pipe()
		client, server := sessions(t, c, s, Config{})
		a, _ := streams(t, client, server)
		reading := result(func() error { _, err := a.Read(make([]byte, 1)); return err })
		writing := result(func() error { _, err := a.Write(make([]byte, 2*initialWindow)); return err })
		synctest.Wait() // both are waiting now: for data, and for the window
		a.Close()
		for name, c := range map[string]<-chan error{"read": reading, "write": writing} {
			if err := <-c; !errors.Is(err, ErrClosed) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := a.SetDeadline(time.Now()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("deadline: %v", err)
		}
	})
}

func TestResetFailsThePeerAfterReceivedData(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, client, server *Session) {
		a, b := streams(t, client, server)
		mustWrite(t, a, "half of it")
		if err := a.Reset(); err != nil {
			t.Fatal(err)
		}
		<-b.Done()
		got, err := io.ReadAll(b)
		if string(got) != "half of it" || !errors.Is(err, ErrReset) {
			t.Errorf("read %q, %v", got, err)
		}
		if _, err := b.Write([]byte("x")); !errors.Is(err, ErrReset) {
			t.Errorf("write: %v", err)
		}
		if err := b.CloseWrite(); !errors.Is(err, ErrReset) {
			t.Errorf("CloseWrite: %v", err)
		}
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, ErrClosed) {
			t.Errorf("read of the one that reset: %v", err)
		}
		if n := client.NumStreams() + server.NumStreams(); n != 0 {
			t.Errorf("%d streams left", n)
		}
	})
}

func TestCloseWithUnreadDataReleasesAWaitingWriter(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, client, server *Session) {
		a, b := streams(t, client, server)
		writing := result(func() error { _, err := a.Write(make([]byte, 4*initialWindow)); return err })
		if _, err := io.ReadFull(b, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		b.Close()
		if err := within(t, "write", writing); !errors.Is(err, ErrReset) {
			t.Errorf("write: %v", err)
		}
	})
}

func TestStreamIsAcknowledgedWhenAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := net.Pipe()
		client, server := sessions(t, c, s, Config{Backlog: 2})
		open := func() *Stream {
			st, err := client.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return st
		}
		first, second := open(), open()
		waiting := result(func() error { return first.Acknowledged(t.Context()) })
		synctest.Wait()
		select {
		case err := <-waiting:
			t.Fatalf("acknowledged before it was accepted: %v", err)
		default:
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := client.Open(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a third stream, while two are unacknowledged: %v", err)
		}
		if err := second.Acknowledged(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting with a context: %v", err)
		}
		second.Close()
		for i := range 2 {
			b, err := server.Accept(t.Context())
			if err != nil || b.ID() != uint32(1+2*i) {
				t.Fatalf("stream %d: %v", i, err)
			}
			if err := b.Acknowledged(t.Context()); err != nil {
				t.Errorf("the accepted end: %v", err)
			}
		}
		if err := errors.Join(<-waiting, first.Acknowledged(ctx), second.Acknowledged(t.Context())); err != nil {
			t.Error(err)
		}
		open()
	})
}

func TestBacklogRefusesFurtherStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := net.Pipe()
		client, err := Client(c, Config{})
		if err != nil {
			t.Fatal(err)
		}
		server, err := Server(s, Config{Backlog: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		defer server.Close()
		kept, _ := client.Open(t.Context())
		extra, _ := client.Open(t.Context())
		if err := extra.Acknowledged(t.Context()); !errors.Is(err, ErrReset) {
			t.Errorf("the second: %v", err)
		}
		select {
		case <-kept.Done():
			t.Error("the first is gone")
		default:
		}
	})
}

func TestAcceptKeepsTheOrderAndAbandonedStreams(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, client, server *Session) {
		for i := range 3 {
			st, err := client.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if i == 1 {
				st.Reset()
			}
		}
		if _, err := client.Ping(t.Context()); err != nil { // after all of them
			t.Fatal(err)
		}
		for i := range 3 {
			st, err := server.Accept(t.Context())
			if err != nil || st.ID() != uint32(1+2*i) {
				t.Fatalf("stream %d: %v", i, err)
			}
			select {
			case <-st.PeerDone():
				if i != 1 {
					t.Errorf("stream %d is given up", i)
				}
			default:
				if i == 1 {
					t.Error("stream 1 is not given up")
				}
			}
		}
	})
}

func TestClosedStreamWaitsForThePeerUpToCloseTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := net.Pipe()
		client, server := sessions(t, c, s, Config{CloseTimeout: time.Hour})
		a, b := streams(t, client, server)
		a.Close()
		expectAll(t, b, "")
		time.Sleep(time.Hour - time.Second) //nolint:forbidigo // the bubble's time
		synctest.Wait()
		if n := client.NumStreams(); n != 1 {
			t.Errorf("%d streams before the timeout", n)
		}
		time.Sleep(time.Second) //nolint:forbidigo // the bubble's time
		synctest.Wait()
		if n := client.NumStreams() + server.NumStreams(); n != 0 {
			t.Errorf("%d streams after the timeout", n)
		}
		if _, err := b.Write([]byte("x")); !errors.Is(err, ErrReset) {
			t.Errorf("write: %v", err)
		}
	})
}

func TestWriteKeepsConcurrentWritesApart(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, client, server *Session) {
		const size = 200 << 10
		a, b := streams(t, client, server)
		var all sync.WaitGroup
		for _, letter := range "abc" {
			all.Go(func() { mustWrite(t, a, strings.Repeat(string(letter), size)) })
		}
		go func() { all.Wait(); a.CloseWrite() }()
		got, err := io.ReadAll(b)
		if err != nil || len(got) != 3*size {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		for i := range 3 {
			part := string(got[i*size : (i+1)*size])
			if strings.Trim(part, part[:1]) != "" {
				t.Errorf("part %d is mixed", i)
			}
		}
	})
}

func TestStreamsSurviveEverythingAtOnce(t *testing.T) {
	onBoth(t, Config{}, func(t *testing.T, client, server *Session) {
		ends := []func(*Stream){
			func(st *Stream) { st.Close() },
			func(st *Stream) { st.Reset() },
			func(st *Stream) { st.CloseWrite(); st.Close() },
			func(st *Stream) { st.SetDeadline(time.Unix(1, 0)); st.Close(); st.Reset() },
		}
		var all sync.WaitGroup
		for i := range 200 {
			a, b := streams(t, client, server)
			for j, st := range []*Stream{a, b} {
				all.Go(func() { st.Write(make([]byte, 100<<10)) })
				all.Go(func() { io.Copy(io.Discard, st) })
				all.Go(func() { ends[(i+j*i/4)%len(ends)](st) })
			}
		}
		all.Wait()
		if _, err := client.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		a, b := streams(t, client, server)
		mustWrite(t, a, "still there")
		a.CloseWrite()
		expectAll(t, b, "still there")
	})
}

func mustWrite(t testing.TB, w io.Writer, text string) {
	t.Helper()
	if n, err := io.WriteString(w, text); err != nil || n != len(text) {
		t.Errorf("wrote %d of %d: %v", n, len(text), err)
	}
}

func expectAll(t testing.TB, r io.Reader, text string) {
	t.Helper()
	if got, err := io.ReadAll(r); err != nil || string(got) != text {
		t.Errorf("read %q, %v instead of %q", got, err, text)
	}
}
