package yamux

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Stream is a connection inside a session, reliable and ordered, with a flow
// control of its own. It is a net.Conn, and its methods may be called by many
// goroutines; concurrent writes do not mix.
type Stream struct {
	session *Session
	id      uint32

	// stopWriting tells a writer that there is a reason to leave. It is set
	// before Session.out.interrupt is called, and recomputed under mu.
	stopWriting atomic.Bool

	waitingForRoom bool // guarded by the sender's lock

	mu                 sync.Mutex
	readable, writable sync.Cond // on mu
	readBy, writeBy    deadline

	received   fifo
	recvWindow uint32 // what the peer may still send
	consumed   uint32 // what the reader took and the peer has not been granted again
	sendWindow uint32 // what we may still send
	late       uint32 // what the peer has sent since Close

	writing   bool       // a Write is in progress
	room      bool       // the sender has room again
	afterward frameFlags // what to send once the Write in progress is over

	unacknowledged bool // ours, and the peer has not accepted it
	holdsSlot      bool // one of Session.slots
	unaccepted     bool // the peer's, and nobody has accepted it here

	finSent, finReceived bool
	resetSent            bool
	closed               bool  // Close or Reset was called here
	reset                bool  // the peer reset the stream
	ended                error // the session is over
	closeTimer           *time.Timer

	acknowledgement, peerDone, done event
}

var _ net.Conn = (*Stream)(nil)

func newStream(s *Session, id uint32) *Stream {
	st := &Stream{session: s, id: id, recvWindow: initialWindow, sendWindow: initialWindow}
	st.readable.L, st.writable.L = &st.mu, &st.mu
	return st
}

// ID returns the stream's identifier on the wire: odd for the streams of the
// side that is Client, even for the other's. It is unique in its session.
func (st *Stream) ID() uint32 { return st.id }

// LocalAddr returns the address of the session's connection.
func (st *Stream) LocalAddr() net.Addr { return st.session.conn.LocalAddr() }

// RemoteAddr returns the address of the session's connection.
func (st *Stream) RemoteAddr() net.Addr { return st.session.conn.RemoteAddr() }

// Acknowledged waits until the peer has accepted the stream; closing the
// stream here does not end the wait. It returns nil for an accepted stream and
// for one that the peer opened; ErrReset if the peer refused it; ErrClosed if
// it was reset here, or the peer did nothing before Config.CloseTimeout; the
// session's error; or ctx's.
func (st *Stream) Acknowledged(ctx context.Context) error {
	st.mu.Lock()
	if !st.unacknowledged {
		st.mu.Unlock()
		return nil
	}
	settled := st.acknowledgement.wait()
	st.mu.Unlock()
	select {
	case <-settled:
	case <-ctx.Done():
		return ctx.Err()
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	switch {
	case !st.unacknowledged:
		return nil
	case st.reset:
		return ErrReset
	case st.ended != nil:
		return st.ended
	default:
		return ErrClosed
	}
}

// PeerDone is closed when the peer will send nothing more: it has ended or
// reset the stream, or the session is over. What it sent before may still be
// unread.
func (st *Stream) PeerDone() <-chan struct{} {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.peerDone.wait()
}

// Done is closed when the stream carries nothing more in either direction:
// closed or reset on either side, ended by both, or the session is over.
func (st *Stream) Done() <-chan struct{} {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.done.wait()
}

// raiseWindow returns what to grant beyond the initial window, and counts it.
func (st *Stream) raiseWindow() uint32 {
	delta := st.session.config.Window - initialWindow
	st.recvWindow += delta
	return delta
}

// acknowledge tells the peer that its stream has been accepted.
func (st *Stream) acknowledge() {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.unaccepted {
		return
	}
	st.unaccepted = false
	if st.reset || st.ended != nil {
		return
	}
	st.session.out.control(frame{kind: typeWindowUpdate, flags: flagACK, id: st.id, length: st.raiseWindow()})
}

// acknowledged notes that the peer has accepted our stream. It is called with
// mu held.
func (st *Stream) acknowledged() {
	if st.unacknowledged {
		st.unacknowledged = false
		st.settleAcknowledgement()
	}
}

// settleAcknowledgement ends the wait for the peer's acknowledgement.
func (st *Stream) settleAcknowledgement() {
	if st.holdsSlot {
		st.holdsSlot = false
		<-st.session.slots
	}
	st.acknowledgement.fire()
}

// settle releases what a stream held that is no longer registered.
func (st *Stream) settle() {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.closeTimer != nil {
		st.closeTimer.Stop()
	}
	st.settleAcknowledgement()
	st.done.fire()
}

// sessionEnded wakes everyone.
func (st *Stream) sessionEnded(err error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.ended = err
	if st.closeTimer != nil {
		st.closeTimer.Stop()
	}
	st.readBy.stop()
	st.writeBy.stop()
	st.acknowledgement.fire()
	st.peerDone.fire()
	st.done.fire()
	st.readable.Broadcast()
	st.writable.Broadcast()
}

// event is something that happens once, guarded by the stream's mu. Its
// channel exists only if somebody asks for it.
type event struct {
	fired bool
	ch    chan struct{}
}

func (e *event) fire() {
	if e.fired {
		return
	}
	e.fired = true
	if e.ch != nil {
		close(e.ch)
	}
}

func (e *event) wait() <-chan struct{} {
	if e.ch == nil {
		e.ch = make(chan struct{})
		if e.fired {
			close(e.ch)
		}
	}
	return e.ch
}
