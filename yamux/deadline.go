package yamux

import "time"

// SetDeadline sets both deadlines, as net.Conn says.
func (st *Stream) SetDeadline(t time.Time) error {
	if err := st.SetReadDeadline(t); err != nil {
		return err
	}
	return st.SetWriteDeadline(t)
}

// SetReadDeadline sets until when reads wait, those in progress included; the
// zero time means for ever. They then return os.ErrDeadlineExceeded. Nothing
// is lost: a later deadline makes the stream readable again.
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

// SetWriteDeadline sets until when writes wait, those in progress included;
// the zero time means for ever. They then return how much was written and
// os.ErrDeadlineExceeded. A frame that was partly sent is completed later and
// counts as written, so that the stream can be written to again.
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

// deadline is a point in time that a timer announces. The zero value is never.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

// passed reports whether the deadline is over.
func (d *deadline) passed() bool { return !d.at.IsZero() && time.Until(d.at) <= 0 }

// set changes the deadline; announce runs, in its own goroutine, when it is
// reached, and has to call fired.
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

// fired sets the timer again if it was early: it is an old one, or the wall
// clock has been changed.
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
