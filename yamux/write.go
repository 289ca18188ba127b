package yamux

import (
	"io"
	"os"
)

// Write writes p and keeps no reference to it. It waits while the peer's window
// or the connection is full. If it stops early, it returns the number of bytes
// written, and ErrReset, ErrClosed, os.ErrDeadlineExceeded or the session's
// error (ErrSessionClosed in errors.Is).
func (st *Stream) Write(p []byte) (int, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for st.writing {
		if err := st.writeError(); err != nil {
			return 0, err
		}
		st.writable.Wait()
	}
	if err := st.writeError(); err != nil {
		return 0, err
	}
	st.writing = true
	n, err := st.write(p)
	st.writing = false
	if flags := st.afterward; flags != 0 {
		st.afterward = 0
		if flags&flagRST != 0 {
			flags = flagRST
		}
		st.sendFlags(flags)
	}
	st.writable.Broadcast()
	return n, err
}

// write sends p as data frames. It releases mu meanwhile.
func (st *Stream) write(p []byte) (total int, err error) {
	for len(p) > 0 {
		n, err := st.awaitWindow(len(p))
		if err != nil {
			return total, err
		}
		st.mu.Unlock()
		v := st.session.out.data(st, frame{kind: typeData, id: st.id, length: uint32(n)}, p[:n])
		st.mu.Lock()
		if v == accepted {
			total += n
			p = p[n:]
			continue
		}
		st.sendWindow += uint32(n)
		if v == refused {
			return total, st.session.out.refusal()
		}
		if v == noRoom {
			st.awaitRoom()
		}
	}
	return total, nil
}

// awaitWindow waits until the peer accepts data, and takes at most n bytes of
// its window.
func (st *Stream) awaitWindow(n int) (int, error) {
	for {
		if err := st.writeError(); err != nil {
			return 0, err
		}
		if st.sendWindow > 0 {
			n = min(n, int(st.sendWindow), maxFrame)
			st.sendWindow -= uint32(n)
			return n, nil
		}
		st.writable.Wait()
	}
}

// awaitRoom waits until the sender has room again, or the Write must stop.
func (st *Stream) awaitRoom() {
	for !st.room && st.writeError() == nil {
		st.writable.Wait()
	}
	st.room = false
}

// roomAgain is called by the sender when its queue has room.
func (st *Stream) roomAgain() {
	st.mu.Lock()
	st.room = true
	st.writable.Broadcast()
	st.mu.Unlock()
}

// writeError returns the reason why writing is impossible, or nil.
func (st *Stream) writeError() error {
	switch {
	case st.closed || st.finSent:
		return ErrClosed
	case st.reset:
		return ErrReset
	case st.ended != nil:
		return st.ended
	case st.writeBy.passed():
		return os.ErrDeadlineExceeded
	}
	return nil
}

// ReadFrom writes the data of r until its end, in pieces of the wire's frame
// size. See io.ReaderFrom; the errors are those of Write and r.
func (st *Stream) ReadFrom(r io.Reader) (total int64, err error) {
	buffer := newChunk(maxFrame)
	defer buffer.recycle()
	for {
		n, readErr := r.Read(buffer.data)
		if n > 0 {
			w, err := st.Write(buffer.data[:n])
			total += int64(w)
			if err != nil {
				return total, err
			}
		}
		if readErr == io.EOF {
			return total, nil
		}
		if readErr != nil {
			return total, readErr
		}
	}
}
