package yamux

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

const (
	// maxQueue is how much may be queued before data has to wait. Control
	// frames never wait.
	maxQueue = 64 << 10

	// copyLimit is up to which payload copying it behind its header is
	// cheaper than handing the system two pieces: with copies alone, bulk costs
	// 5 to 7 % more processor time.
	copyLimit = 4 << 10

	// maxAnswers bounds the unsent frames that the peer provoked: pings
	// answered, streams refused, windows granted. Only a peer that keeps
	// sending and never reads gets there.
	maxAnswers = 8 << 10
)

// sender is the sending half of a session. At any time at most one goroutine
// is writing to the connection: either somebody who has a frame to send (the
// direct way, with nobody in between), or the flusher. The direct way saves 4 % of
// a round trip of 64 bytes.
type sender struct {
	conn    net.Conn
	direct  bool // see resumable
	flusher *sync.WaitGroup
	failed  func(error) // told, once, when the connection fails

	mu    sync.Mutex
	queue []byte // whole frames, ready to go out
	spare []byte // a small buffer to use for the next queue

	answers, answersTaken int // of maxAnswers: queued, being written

	busy        bool    // somebody is writing to the connection
	writer      *Stream // who, unless it is the flusher
	interrupted bool    // the writer has been told to leave
	flushing    bool    // there is a flusher

	refuse  error         // why nothing more is taken
	broken  bool          // the connection is of no more use
	waiting []*Stream     // who waits for room in the queue
	drained chan struct{} // closed when the queue is empty; see drain

	pieces [2][]byte // the writer's
	vector net.Buffers
}

// verdict is what became of a data frame that was offered to the sender.
type verdict int

const (
	accepted verdict = iota // sent, or sure to be
	noRoom                  // the stream is told when to try again
	stopped                 // the stream has a reason to stop writing
	refused                 // nothing is taken any more
)

// control queues a frame without payload. It never waits.
func (o *sender) control(f frame) {
	o.mu.Lock()
	if o.refuse == nil {
		o.push(f, nil)
		o.startFlusher()
	}
	o.mu.Unlock()
}

// answer queues a frame that the peer provoked; false means that too many of
// them are unsent.
func (o *sender) answer(f frame) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.refuse != nil {
		return true
	}
	if o.answers+o.answersTaken >= maxAnswers {
		return false
	}
	o.answers++
	o.push(f, nil)
	o.startFlusher()
	return true
}

// data sends a data frame of st, directly if nobody else is writing. It keeps
// nothing of p.
func (o *sender) data(st *Stream, f frame, p []byte) verdict {
	o.mu.Lock()
	switch {
	case o.refuse != nil:
		o.mu.Unlock()
		return refused
	case st.stopWriting.Load():
		// Checked under the lock: from here on, interrupt finds the writer.
		o.mu.Unlock()
		return stopped
	case o.direct && !o.busy:
		o.writeDirect(st, f, p)
		return accepted
	case len(o.queue) < maxQueue:
		o.push(f, p)
		o.startFlusher()
		o.mu.Unlock()
		return accepted
	}
	if !st.waitingForRoom {
		st.waitingForRoom = true
		o.waiting = append(o.waiting, st)
	}
	o.mu.Unlock()
	return noRoom
}

// writeDirect writes what is queued and the frame in one system call. It is
// called with the lock held and releases it.
func (o *sender) writeDirect(st *Stream, f frame, p []byte) {
	var rest []byte
	if len(p) > copyLimit {
		p, rest = nil, p
	}
	o.push(f, p)
	batch := o.take()
	o.writer = st
	o.mu.Unlock()

	n, err := o.write(batch, rest)

	o.mu.Lock()
	o.writer = nil
	if o.interrupted {
		o.interrupted = false
		if e := o.conn.SetWriteDeadline(time.Time{}); e != nil && err == nil {
			err = e
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			o.requeue(batch, rest, n)
			err = nil
		}
	}
	o.finish(batch, err)
}

// write writes both pieces to the connection.
func (o *sender) write(batch, rest []byte) (int, error) {
	if len(rest) == 0 {
		return o.conn.Write(batch)
	}
	o.pieces = [2][]byte{batch, rest}
	o.vector = o.pieces[:]
	n, err := o.vector.WriteTo(o.conn)
	o.pieces = [2][]byte{}
	return int(n), err
}

// requeue puts what an interrupted write left over before everything else:
// the frame has begun, so it has to be completed.
func (o *sender) requeue(batch, rest []byte, written int) {
	behind := o.queue
	o.queue = nil
	if written < len(batch) {
		o.extend(batch[written:])
		o.extend(rest)
	} else {
		o.extend(rest[written-len(batch):])
	}
	o.extend(behind)
	o.keep(behind)
	o.answers += o.answersTaken
}

// interrupt makes st leave its write if it is the one writing to the
// connection; the rest of its frame is sent later.
func (o *sender) interrupt(st *Stream) {
	o.mu.Lock()
	if o.writer == st && !o.interrupted {
		o.interrupted = true
		// An error means that the connection is closed, which wakes it too.
		_ = o.conn.SetWriteDeadline(time.Unix(1, 0))
	}
	o.mu.Unlock()
}

// startFlusher sees to it that the queue gets written. Whoever is writing now
// calls it again afterwards.
func (o *sender) startFlusher() {
	if len(o.queue) == 0 || o.busy || o.flushing || o.broken {
		return
	}
	o.flushing = true
	o.flusher.Add(1)
	go o.flush()
}

// flush writes the queue until it is empty, or somebody else does.
func (o *sender) flush() {
	defer o.flusher.Done()
	o.mu.Lock()
	for !o.busy && !o.broken && len(o.queue) > 0 {
		batch := o.take()
		o.mu.Unlock()
		_, err := o.conn.Write(batch)
		o.mu.Lock()
		o.finish(batch, err)
		o.mu.Lock()
	}
	o.flushing = false
	o.mu.Unlock()
}

// take begins a write of all that is queued.
func (o *sender) take() []byte {
	batch := o.queue
	o.queue, o.spare = o.spare, nil
	o.answers, o.answersTaken = 0, o.answers
	o.busy = true
	return batch
}

// finish ends a write, releases the lock, and wakes who waited for it.
func (o *sender) finish(batch []byte, err error) {
	o.busy = false
	o.answersTaken = 0
	o.keep(batch)
	first := err != nil && o.breakLocked(operationError(err))
	o.startFlusher()
	if o.drained != nil && (o.broken || len(o.queue) == 0) {
		close(o.drained)
		o.drained = nil
	}
	woken := o.roomForWaiting()
	o.mu.Unlock()
	wake(woken)
	if first {
		o.failed(err)
	}
}

// roomForWaiting takes the streams that can try again.
func (o *sender) roomForWaiting() []*Stream {
	if len(o.waiting) == 0 || o.refuse == nil && len(o.queue) >= maxQueue {
		return nil
	}
	woken := o.waiting
	o.waiting = nil
	for _, st := range woken {
		st.waitingForRoom = false
	}
	return woken
}

func wake(streams []*Stream) {
	for _, st := range streams {
		st.roomAgain()
	}
}

// seal lets nothing more in; what is queued still goes out, and f, if any,
// after it. Those whom it returns are to be woken.
func (o *sender) seal(reason error, f *frame) []*Stream {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.refuse == nil {
		if f != nil {
			o.push(*f, nil)
			o.startFlusher()
		}
		o.refuse = reason
	}
	return o.roomForWaiting()
}

// abandon gives the connection up with all that is queued.
func (o *sender) abandon(reason error) {
	o.mu.Lock()
	o.breakLocked(reason)
	if o.drained != nil {
		close(o.drained)
		o.drained = nil
	}
	woken := o.roomForWaiting()
	o.mu.Unlock()
	wake(woken)
}

// breakLocked notes that the connection is of no more use; true the first time.
func (o *sender) breakLocked(reason error) bool {
	if o.broken {
		return false
	}
	o.broken = true
	o.queue, o.spare = nil, nil
	if o.refuse == nil {
		o.refuse = reason
	}
	return true
}

// refusal is why nothing more is taken.
func (o *sender) refusal() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.refuse
}

// drain waits until all that is queued has been written, at most so long.
func (o *sender) drain(limit time.Duration) {
	o.mu.Lock()
	if limit <= 0 || o.broken || (!o.busy && len(o.queue) == 0) {
		o.mu.Unlock()
		return
	}
	if o.drained == nil {
		o.drained = make(chan struct{})
	}
	drained := o.drained
	o.mu.Unlock()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-drained:
	case <-timer.C:
	}
}
