package yamux

import "time"

// SetDeadline sets both deadlines, as in net.Conn.
func (st *Stream) SetDeadline(t time.Time) error {
	if err := st.SetReadDeadline(t); err != nil {
		return err
	}
	return st.SetWriteDeadline(t)
}

// SetReadDeadline sets the time limit of reads, including reads in progress;
// the zero time means none. After it they return os.ErrDeadlineExceeded. No
// data is lost: a later deadline makes the stream readable again.
func (st *Stream) SetReadDeadline(t time.Time) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.closed {
		return ErrClosed
	}
	if st.ended == nil {
		st.readBy.set(t, st.readTimedOut)
	}
	st.readable.Broadcast()
	return nil
}

// SetWriteDeadline sets the time limit of writes, including writes in progress;
// the zero time means none. After it they return the number of bytes written
// and os.ErrDeadlineExceeded. A partly sent frame counts as written and is
// completed later, so the stream stays writable.
func (st *Stream) SetWriteDeadline(t time.Time) error {
	st.mu.Lock()
	if st.closed {
		st.mu.Unlock()
		return ErrClosed
	}
	if st.ended == nil {
		st.writeBy.set(t, st.writeTimedOut)
	}
	st.unlockStopped(false)
	return nil
}

func (st *Stream) readTimedOut() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.readBy.fired()
	st.readable.Broadcast()
}

func (st *Stream) writeTimedOut() {
	st.mu.Lock()
	st.writeBy.fired()
	st.unlockStopped(false)
}

// deadline is a point in time with a timer. The zero value never passes.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

// passed reports whether the deadline has passed.
func (d *deadline) passed() bool { return !d.at.IsZero() && time.Until(d.at) <= 0 }

// set changes the deadline. At the deadline, announce runs in its own goroutine
// and must call fired.
func (d *deadline) set(t time.Time, announce func()) {
	d.at = t
	left := time.Until(t)
	switch {
	case t.IsZero() || left <= 0:
		d.stop()
	case d.timer == nil:
		d.timer = time.AfterFunc(left, announce)
	default:
		d.timer.Reset(left)
	}
}

// fired restarts a timer that fired early: it belonged to an old deadline, or
// the wall clock changed.
func (d *deadline) fired() {
	if left := time.Until(d.at); !d.at.IsZero() && left > 0 && d.timer != nil {
		d.timer.Reset(left)
	}
}

// stop releases the timer.
func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}
