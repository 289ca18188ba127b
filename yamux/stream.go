package yamux

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Stream is a reliable, ordered connection inside a session, with its own flow
// control. It is a net.Conn and safe for concurrent use; concurrent writes do
// not mix.
type Stream struct {
	session *Session
	id      uint32

	// stopWriting tells a writer to stop. It is set before the call of
	// Session.out.interrupt, and recomputed under mu.
	stopWriting atomic.Bool

	waitingForRoom bool // guarded by the sender's lock

	mu                 sync.Mutex
	readable, writable sync.Cond // on mu
	readBy, writeBy    deadline

	received   fifo
	recvWindow uint32 // bytes the peer may still send
	consumed   uint32 // bytes read, and not yet granted again to the peer
	sendWindow uint32 // bytes this side may still send
	late       uint32 // bytes the peer has sent since Close

	writing   bool       // a Write is in progress
	room      bool       // the sender has room again
	afterward frameFlags // flags to send after the Write in progress

	unacknowledged bool // opened here, and not yet accepted by the peer
	holdsSlot      bool // one of Session.slots
	unaccepted     bool // opened by the peer, and not yet accepted here

	finSent, finReceived bool
	resetSent            bool
	closed               bool  // Close or Reset was called on this side
	reset                bool  // the peer reset the stream
	ended                error // the session's end
	closeTimer           *time.Timer

	acknowledgement, peerDone, done event
}

var _ net.Conn = (*Stream)(nil)

func newStream(s *Session, id uint32) *Stream {
	st := &Stream{session: s, id: id, recvWindow: initialWindow, sendWindow: initialWindow}
	st.readable.L, st.writable.L = &st.mu, &st.mu
	return st
}

// ID returns the stream's ID on the wire: odd if the Client side opened it,
// even if the Server side did. It is unique in its session.
func (st *Stream) ID() uint32 { return st.id }

// LocalAddr returns the address of the session's connection.
func (st *Stream) LocalAddr() net.Addr { return st.session.conn.LocalAddr() }

// RemoteAddr returns the address of the session's connection.
func (st *Stream) RemoteAddr() net.Addr { return st.session.conn.RemoteAddr() }

// Acknowledged waits until the peer has accepted the stream; closing the stream
// on this side does not end the wait. It returns nil for an accepted stream and
// for a stream opened by the peer. It returns ErrReset if the peer refused the
// stream, and ErrClosed after a reset on this side or a silent peer for
// Config.CloseTimeout. Otherwise it returns the session's error or ctx's.
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

// PeerDone is closed when the peer will send no more data: it has ended or
// reset the stream, or the session has ended. Earlier data may still be unread.
func (st *Stream) PeerDone() <-chan struct{} {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.peerDone.wait()
}

// Done is closed when the stream carries no more data in either direction:
// closed or reset by either side, ended by both, or the session has ended.
func (st *Stream) Done() <-chan struct{} {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.done.wait()
}

// raiseWindow returns the grant beyond the initial window, and counts it.
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

// acknowledged records the peer's acceptance. The caller holds mu.
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

// settle releases the resources of an unregistered stream.
func (st *Stream) settle() {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.closeTimer != nil {
		st.closeTimer.Stop()
	}
	st.settleAcknowledgement()
	st.done.fire()
}

// sessionEnded wakes all waiters.
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

// event happens once, guarded by the stream's mu. Its channel is created on
// demand.
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
