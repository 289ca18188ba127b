package yamux

import (
	"bufio"
	"errors"
	"io"
	"math"
	"net"
)

// receiveBuffer is the size of a session's read-ahead. Smaller frames are
// copied from it; the bulk of bigger frames is read directly into chunks.
const receiveBuffer = 4 << 10

// receive runs in the session's own goroutine. It reads the peer's frames until
// the connection ends, and never waits for anything else.
func (s *Session) receive() {
	defer s.tasks.Done()
	err := s.receiveFrames(bufio.NewReaderSize(s.conn, receiveBuffer))
	var broken *ProtocolError
	if errors.As(err, &broken) && s.end(err, &frame{kind: typeGoAway, length: goAwayProtocolError}) {
		s.out.drain(s.config.Linger)
	}
	s.abort(s.endReason(err))
}

// endReason converts the connection's error into the reason of the session's
// end.
func (s *Session) endReason(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var network net.Error
	switch {
	case !errors.As(err, &network):
		return err
	case s.writeErr != nil && (network.Timeout() || errors.Is(err, net.ErrClosed)):
		return s.writeErr // writeFailed ended the reading
	case s.away:
		// The peer has announced its end. A socket closed with unread data then
		// reports a reset.
		return io.EOF
	}
	return err
}

func (s *Session) receiveFrames(r *bufio.Reader) error {
	for {
		header, err := r.Peek(headerSize)
		if err != nil {
			if len(header) > 0 && errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		f, err := parseFrame(header)
		if err != nil {
			return err
		}
		_, _ = r.Discard(headerSize) // cannot fail: Peek has returned these bytes
		if err := s.handle(f, r); err != nil {
			return err
		}
	}
}

func (s *Session) handle(f frame, r *bufio.Reader) error {
	switch f.kind {
	case typePing:
		return s.handlePing(f)
	case typeGoAway:
		return s.handleGoAway(f)
	case typeData, typeWindowUpdate:
	}
	if f.has(flagSYN) {
		if err := s.handleSYN(f); err != nil {
			return err
		}
	}
	st := s.lookup(f.id)
	var err error
	if f.kind == typeData {
		err = s.handleData(st, f, r)
	} else if st != nil {
		err = st.granted(f.length)
	}
	if st == nil || err != nil {
		return err
	}
	switch {
	case f.has(flagRST):
		st.peerReset()
	case f.has(flagFIN):
		st.peerEnded()
	case f.has(flagACK):
		st.mu.Lock()
		st.acknowledged()
		st.mu.Unlock()
	}
	return nil
}

// handleSYN registers a new stream of the peer. Its IDs need not be in order:
// other implementations assign them before sending.
func (s *Session) handleSYN(f frame) error {
	if f.id == 0 || f.id%2 == s.parity {
		return &ProtocolError{StreamID: f.id, Reason: "a new stream with an ID of this side"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil
	}
	if s.streams[f.id] != nil {
		return &ProtocolError{StreamID: f.id, Reason: "a new stream with an ID in use"}
	}
	st := newStream(s, f.id)
	st.unaccepted = true
	s.streams[f.id] = st
	select {
	case s.accepts <- st:
		return nil
	default:
	}
	delete(s.streams, f.id)
	if !s.out.answer(frame{kind: typeWindowUpdate, flags: flagRST, id: f.id}) {
		return errUnread(f.id)
	}
	return nil
}

// handleData reads the frame's payload. For unknown or closed streams it drops
// it.
func (s *Session) handleData(st *Stream, f frame, r *bufio.Reader) error {
	wanted := false
	switch {
	case st != nil:
		var err error
		if wanted, err = st.admit(f); err != nil {
			return err
		}
	case f.length > s.config.Window:
		return &ProtocolError{StreamID: f.id, Reason: "more data than the window allows"}
	}
	switch {
	case !wanted:
		_, err := r.Discard(int(f.length))
		return unexpected(err)
	case f.length <= receiveBuffer:
		p, err := r.Peek(int(f.length))
		if len(p) > 0 {
			st.push(p, nil)
		}
		_, _ = r.Discard(len(p))
		return unexpected(err)
	}
	for left := int(f.length); left > 0; {
		c := newChunk(min(left, maxChunk))
		n, err := io.ReadFull(r, c.data[:min(left, maxChunk)])
		c.written = n
		left -= n
		if n > 0 {
			st.push(nil, c)
		}
		if err != nil {
			return unexpected(err)
		}
	}
	return nil
}

// lateData is the number of bytes that the peer may send on a stream closed on
// this side before a reset. It covers data in flight and farewell messages of
// the inner protocol (HTTP/2, TLS). If the peer has also closed the stream, a
// reset looks like an error to it, and hashicorp/yamux logs it. lateData is
// less than any window, so a peer with more data learns that nobody reads.
const lateData = 16 << 10

// admit counts a frame's payload against the window. False means that nobody
// reads it. The peer is then told once.
func (st *Stream) admit(f frame) (bool, error) {
	st.mu.Lock()
	if f.length > st.recvWindow {
		st.mu.Unlock()
		return false, &ProtocolError{StreamID: f.id, Reason: "more data than the window allows"}
	}
	st.recvWindow -= f.length
	st.acknowledged()
	if st.finReceived {
		// If a write races with the stream's end, hashicorp/yamux may send the
		// data last. This must not end the session.
		st.mu.Unlock()
		return false, nil
	}
	if !st.closed {
		st.mu.Unlock()
		return true, nil
	}
	st.late += f.length
	if st.late <= lateData || f.has(flagFIN|flagRST) {
		st.mu.Unlock()
		return false, nil
	}
	st.resetHere()
	st.unlockStopped(true)
	return false, nil
}

// granted adds to the window granted by the peer.
func (st *Stream) granted(n uint32) error {
	if n == 0 {
		return nil
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if n > math.MaxUint32-st.sendWindow {
		return &ProtocolError{StreamID: st.id, Reason: "a window beyond 32 bits"}
	}
	st.sendWindow += n
	st.writable.Broadcast()
	return nil
}

func (s *Session) handleGoAway(f frame) error {
	if f.length != goAwayNormal {
		return &GoAwayError{Code: f.length}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.away {
		s.away = true
		close(s.goneAway)
	}
	return nil
}

// unexpected converts an end inside a frame to io.ErrUnexpectedEOF.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// errUnread ends the session if its peer sends without reading.
func errUnread(id uint32) error {
	return &ProtocolError{StreamID: id, Reason: "the peer does not read the answers to its frames"}
}
