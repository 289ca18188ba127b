package yamux

import "time"

// CloseWrite ends this side of the stream: the peer reads all written data, and
// then io.EOF. Reading continues. A Write in progress returns ErrClosed.
// CloseWrite does not wait, and does nothing the second time.
func (st *Stream) CloseWrite() error {
	st.mu.Lock()
	switch {
	case st.closed:
		st.mu.Unlock()
		return ErrClosed
	case st.finSent:
		st.mu.Unlock()
		return nil
	case st.reset:
		st.mu.Unlock()
		return ErrReset
	case st.ended != nil:
		err := st.ended
		st.mu.Unlock()
		return err
	}
	st.finSent = true
	st.sendFlags(flagFIN)
	st.unlockStopped(st.finReceived)
	return nil
}

// Close ends the stream in both directions and returns nil. The peer reads all written data, and
// then io.EOF. If it writes more than a little after that, its stream is reset. Reads and writes on
// this side return ErrClosed.
//
// Close does not wait. The stream counts as open until the peer has ended its side too, but no
// longer than Config.CloseTimeout.
func (st *Stream) Close() error {
	st.mu.Lock()
	if st.closed {
		st.mu.Unlock()
		return nil
	}
	st.discard()
	over := st.reset || st.ended != nil
	if !over {
		st.endSides()
	}
	st.unlockStopped(!over && st.finReceived)
	return nil
}

// endSides ends this side, and makes sure that the peer ends its own.
func (st *Stream) endSides() {
	if !st.finSent {
		st.finSent = true
		st.sendFlags(flagFIN)
	} else if !st.finReceived && st.consumed > 0 {
		st.sendFlags(0)
	}
	if !st.finReceived {
		st.closeTimer = time.AfterFunc(st.session.config.CloseTimeout, st.closeTimedOut)
	}
}

// Reset aborts the stream in both directions and returns nil. The peer's reads
// and writes fail, and written data may be lost. Reset does nothing to a
// finished stream, but ends the wait of a closed stream for its peer.
func (st *Stream) Reset() error {
	st.mu.Lock()
	st.discard()
	st.resetHere()
	st.unlockStopped(true)
	return nil
}

// discard marks the stream as unused on this side. It returns the window of
// unread data to the peer: a peer waiting for window can then write and learn
// that there is no reader.
func (st *Stream) discard() {
	st.closed = true
	st.consumed += uint32(st.received.size)
	st.received.clear()
	st.readBy.stop()
	st.writeBy.stop()
	st.done.fire()
}

// resetHere sends a reset unless the stream has ended.
func (st *Stream) resetHere() {
	if st.resetSent || st.reset || st.ended != nil || (st.finSent && st.finReceived) {
		return
	}
	st.resetSent = true
	st.sendFlags(flagRST)
}

// closeTimedOut gives up on a peer that has not ended its side in time.
func (st *Stream) closeTimedOut() {
	st.mu.Lock()
	st.resetHere()
	st.unlockStopped(true)
}

// sendFlags sends flags, together with the window freed by the reader. During a
// Write they wait for its end.
func (st *Stream) sendFlags(flags frameFlags) {
	if st.writing {
		st.afterward |= flags
		return
	}
	f := frame{kind: typeWindowUpdate, flags: flags, id: st.id}
	if flags&flagRST == 0 && !st.finReceived {
		f.length = st.consumed
		st.recvWindow += st.consumed
		st.consumed = 0
	}
	st.session.out.control(f)
}

// unlockStopped wakes all waiters after a change, releases mu, makes a Write
// leave the connection, and forgets the stream if it has ended.
func (st *Stream) unlockStopped(over bool) {
	st.updateStop()
	st.readable.Broadcast()
	st.writable.Broadcast()
	interrupt := st.writing && st.stopWriting.Load()
	st.mu.Unlock()
	if interrupt {
		st.session.out.interrupt(st)
	}
	if over {
		st.session.forget(st)
	}
}

// updateStop recomputes whether a Write must stop.
func (st *Stream) updateStop() {
	st.stopWriting.Store(st.closed || st.finSent || st.reset || st.writeBy.passed())
}

// peerEnded records the end of the peer's data.
func (st *Stream) peerEnded() {
	st.mu.Lock()
	st.finReceived = true
	st.acknowledged()
	st.peerDone.fire()
	st.unlockStopped(st.finSent)
}

// peerReset records the peer's reset.
func (st *Stream) peerReset() {
	st.mu.Lock()
	st.reset = true
	st.peerDone.fire()
	st.unlockStopped(true)
}
