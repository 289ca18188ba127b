package yamux

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// discardConn is a connection to a peer with fixed output that reads
// everything.
type discardConn struct {
	io.Reader
	net.Conn
}

func (c discardConn) Read(p []byte) (int, error)       { return c.Reader.Read(p) }
func (c discardConn) Write(p []byte) (int, error)      { return len(p), nil }
func (c discardConn) Close() error                     { return nil }
func (c discardConn) SetReadDeadline(time.Time) error  { return nil }
func (c discardConn) SetWriteDeadline(time.Time) error { return nil }

// FuzzReceive feeds a session with arbitrary input of a peer. The session must
// end with a reason and hold no more than its granted windows.
func FuzzReceive(f *testing.F) {
	for _, seed := range receiveSeeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		cfg := Config{Backlog: 4, Linger: -1}
		s, err := Server(discardConn{Reader: bytes.NewReader(sent)}, cfg)
		if err != nil {
			t.Fatal(err)
		}
		<-s.Done()
		var broken *ProtocolError
		var away *GoAwayError
		reason := s.Err()
		if !errors.Is(reason, io.EOF) && !errors.Is(reason, io.ErrUnexpectedEOF) &&
			!errors.As(reason, &broken) && !errors.As(reason, &away) {
			t.Errorf("reason: %v", reason)
		}
		total := 0
		for {
			st, err := s.Accept(context.Background())
			if err != nil {
				break
			}
			st.mu.Lock()
			held := 0
			for c := st.received.head; c != nil; c = c.next {
				held += len(c.data)
			}
			if size := st.received.size; held > 2*size+2*maxChunk {
				t.Errorf("%d bytes held for %d received", held, size)
			}
			st.mu.Unlock()
			n, err := io.Copy(io.Discard, st)
			total += int(n)
			if err != nil && !errors.Is(err, ErrReset) && !errors.Is(err, ErrSessionClosed) {
				t.Errorf("read: %v", err)
			}
		}
		if total > len(sent) {
			t.Errorf("%d bytes read, %d sent", total, len(sent))
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func receiveSeeds() map[string][]byte {
	frames := func(parts ...any) []byte {
		var b []byte
		for _, part := range parts {
			switch part := part.(type) {
			case frame:
				b = part.append(b)
			case string:
				b = append(b, part...)
			}
		}
		return b
	}
	syn := frame{kind: typeWindowUpdate, flags: flagSYN, id: 1}
	return map[string][]byte{
		"nothing":      {},
		"half-header":  {0, 1, 0},
		"stream":       frames(syn, frame{kind: typeData, flags: flagFIN, id: 1, length: 5}, "hello"),
		"big-frame":    frames(syn, frame{kind: typeData, id: 1, length: 9000}, string(make([]byte, 9000))),
		"cut-frame":    frames(syn, frame{kind: typeData, id: 1, length: 200_000}, string(make([]byte, 5000))),
		"reset":        frames(syn, frame{kind: typeData, flags: flagRST, id: 1, length: 2}, "xx"),
		"ping":         frames(frame{kind: typePing, flags: flagSYN, length: 1}, frame{kind: typePing, flags: flagACK}),
		"go-away":      frames(frame{kind: typeGoAway}, frame{kind: typeGoAway, length: 2}),
		"overflow":     frames(syn, frame{kind: typeWindowUpdate, id: 1, length: 1<<32 - 1}),
		"over-window":  frames(syn, frame{kind: typeData, id: 1, length: 1<<32 - 1}),
		"unknown":      frames(frame{kind: typeData, id: 9, length: 3}, "abc", frame{kind: typeData, id: 9, length: 1 << 31}),
		"over-backlog": frames(syn, frame{flags: flagSYN, id: 3}, frame{flags: flagSYN, id: 5}, frame{flags: flagSYN, id: 7}, frame{flags: flagSYN, id: 9}),
	}
}

// FuzzFrame checks that parsing and encoding a header are inverse.
func FuzzFrame(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x05"))
	f.Add([]byte("\x01\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		header, err := bufio.NewReader(bytes.NewReader(b)).Peek(headerSize)
		if err != nil {
			return
		}
		got, err := parseFrame(header)
		if valid := b[0] == 0 && b[1] <= 3; valid != (err == nil) {
			t.Fatalf("%x: %v", header, err)
		}
		if err == nil && !bytes.Equal(got.append(nil), header) {
			t.Errorf("%x became %x", header, got.append(nil))
		}
	})
}
