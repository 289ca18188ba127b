package yamux

import (
	"errors"
	"io"
	"os"
)

// Read reads available data, and waits if there is none. It returns io.EOF
// after the peer has ended the stream, ErrReset after a reset, or the session's
// error (ErrSessionClosed in errors.Is). All of these come after the received
// data is read. os.ErrDeadlineExceeded and ErrClosed come at once.
func (st *Stream) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	st.mu.Lock()
	if err := st.awaitData(); err != nil {
		st.mu.Unlock()
		return 0, err
	}
	n := st.received.read(p)
	st.unlockConsumed(n)
	return n, nil
}

// WriteTo writes arriving data to w, without a buffer in between, until the
// peer ends the stream. See io.WriterTo; the errors are those of Read and w.
func (st *Stream) WriteTo(w io.Writer) (total int64, err error) {
	for {
		st.mu.Lock()
		if err := st.awaitData(); err != nil {
			st.mu.Unlock()
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return total, err
		}
		c := st.received.pop()
		p := c.unread()
		st.unlockConsumed(len(p))
		n, err := w.Write(p)
		total += int64(n)
		short := n < len(p)
		c.recycle()
		if err == nil && short {
			err = io.ErrShortWrite
		}
		if err != nil {
			return total, err
		}
	}
}

// awaitData waits until data is available.
func (st *Stream) awaitData() error {
	for {
		switch {
		case st.closed:
			return ErrClosed
		case st.readBy.passed():
			return os.ErrDeadlineExceeded
		case st.received.size > 0:
			return nil
		case st.finReceived:
			return io.EOF
		case st.reset:
			return ErrReset
		case st.ended != nil:
			return st.ended
		}
		st.readable.Wait()
	}
}

// unlockConsumed returns consumed window to the peer, in steps of half the
// window, and releases mu.
func (st *Stream) unlockConsumed(n int) {
	st.consumed += uint32(n)
	grant := st.consumed
	due := grant >= st.session.config.Window/2 && !st.finReceived && !st.reset && st.ended == nil
	if due {
		st.consumed = 0
		st.recvWindow += grant
		due = !st.session.out.answer(frame{kind: typeWindowUpdate, id: st.id, length: grant})
	}
	st.mu.Unlock()
	if due {
		st.session.abort(errUnread(st.id))
	}
}

// push takes received data, either as bytes to copy or in a chunk filled for
// this stream.
func (st *Stream) push(p []byte, c *chunk) {
	st.mu.Lock()
	defer st.mu.Unlock()
	switch {
	case st.closed || st.reset:
		if c != nil {
			c.recycle()
		}
		return
	case c != nil:
		st.received.push(c)
	default:
		st.received.write(p)
	}
	st.readable.Broadcast()
}
