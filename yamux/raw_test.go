package yamux

import (
	"io"
	"net"
	"testing"
	"time"
)

// rawPeer writes frames by hand, beyond a session's behaviour.
type rawPeer struct {
	t    testing.TB
	conn net.Conn
}

// withRawPeer returns a server session and its raw client.
func withRawPeer(t testing.TB, cfg Config, c, s net.Conn) (*Session, rawPeer) {
	t.Helper()
	session, err := Server(s, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); session.Close() })
	return session, rawPeer{t, c}
}

func (r rawPeer) send(f frame, payload string) {
	r.t.Helper()
	if _, err := r.conn.Write(append(f.append(nil), payload...)); err != nil {
		r.t.Fatalf("raw peer: %v", err)
	}
}

// open opens a stream and grants extra window beyond the initial window.
func (r rawPeer) open(id, grant uint32) {
	r.t.Helper()
	r.send(frame{kind: typeWindowUpdate, flags: flagSYN, id: id, length: grant}, "")
}

// next reads a frame, with its payload if it is data.
func (r rawPeer) next() (frame, []byte) {
	r.t.Helper()
	f, p, err := readFrame(r.conn)
	if err != nil {
		r.t.Fatalf("raw peer: %v", err)
	}
	return f, p
}

func (r rawPeer) expect(want frame) {
	r.t.Helper()
	if got, _ := r.next(); got != want {
		r.t.Errorf("the session sent %+v instead of %+v", got, want)
	}
}

func readFrame(r io.Reader) (frame, []byte, error) {
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(r, header); err != nil {
		return frame{}, nil, err
	}
	f, err := parseFrame(header)
	if err != nil || f.kind != typeData {
		return f, nil, err
	}
	p := make([]byte, f.length)
	_, err = io.ReadFull(r, p)
	return f, p, err
}

// accept accepts a stream and reads the acknowledgement from the wire.
func (r rawPeer) accept(s *Session) *Stream {
	r.t.Helper()
	accepted := make(chan *Stream, 1)
	go func() {
		st, err := s.Accept(r.t.Context())
		if err != nil {
			r.t.Error(err)
		}
		accepted <- st
	}()
	if f, _ := r.next(); f.flags != flagACK || f.kind != typeWindowUpdate {
		r.t.Errorf("acknowledgement: %+v", f)
	}
	return <-accepted
}

// within fails the test if nothing arrives in time.
func within[T any](t testing.TB, what string, c <-chan T) (v T) {
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

// result runs f and delivers its error.
func result(f func() error) <-chan error {
	c := make(chan error, 1)
	go func() { c <- f() }()
	return c
}
