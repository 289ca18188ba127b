package yamux

import "time"

// CloseWrite ends our side of the stream: the peer reads what was written, and
// then io.EOF. Reading goes on. A Write in progress returns ErrClosed. It does
// not wait, and does nothing the second time.
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

// Close ends the stream in both directions and returns nil. The peer reads
// what was written, and then io.EOF; if it goes on writing more than a little,
// its stream is reset. Reads and writes here return ErrClosed. Close does not wait: the
// stream counts as open until the peer has ended its side too, at most for
// Config.CloseTimeout.
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

// endSides ends our side, and sees to it that the peer ends its own.
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
// and writes fail. Data that was written may be lost. Reset does nothing to a
// stream that is over, but it does end the waiting of one that was closed.
func (st *Stream) Reset() error {
	st.mu.Lock()
	st.discard()
	st.resetHere()
	st.unlockStopped(true)
	return nil
}

// discard notes that nobody here uses the stream any more. What was not read
// is granted to the peer again: should it be waiting for that window, it is to
// write and learn that there is no reader.
func (st *Stream) discard() {
	st.closed = true
	st.consumed += uint32(st.received.size)
	st.received.clear()
	st.readBy.stop()
	st.writeBy.stop()
	st.done.fire()
}

// resetHere sends a reset unless the stream is over.
func (st *Stream) resetHere() {
	if st.resetSent || st.reset || st.ended != nil || (st.finSent && st.finReceived) {
		return
	}
	st.resetSent = true
	st.sendFlags(flagRST)
}

// closeTimedOut gives up on a peer that does not end its side.
func (st *Stream) closeTimedOut() {
	st.mu.Lock()
	st.resetHere()
	st.unlockStopped(true)
}

// sendFlags sends flags, and with them the window that the reader has freed.
// While a Write is in progress they have to wait for its end.
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

// unlockStopped wakes everyone after a change that may concern them, releases
// mu, makes a Write leave the connection, and forgets the stream if it is over.
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

// updateStop recomputes whether there is a reason for a Write to leave.
func (st *Stream) updateStop() {
	st.stopWriting.Store(st.closed || st.finSent || st.reset || st.writeBy.passed())
}

// peerEnded notes that the peer sends nothing more.
func (st *Stream) peerEnded() {
	st.mu.Lock()
	st.finReceived = true
	st.acknowledged()
	st.peerDone.fire()
	st.unlockStopped(st.finSent)
}

// peerReset notes that the peer has aborted the stream.
func (st *Stream) peerReset() {
	st.mu.Lock()
	st.reset = true
	st.peerDone.fire()
	st.unlockStopped(true)
}
