package yamux

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

const (
	// maxQueue is the queue length at which data must wait. Control frames
	// never wait.
	maxQueue = 64 << 10

	// copyLimit is the largest payload that is cheaper to copy behind its
	// header than to write as two pieces. With copies alone, bulk transfer
	// costs 5 to 7 % more processor time.
	copyLimit = 4 << 10

	// maxAnswers limits the unsent answers to the peer: answered pings, refused
	// streams, granted windows. Only a peer that keeps sending without reading
	// reaches it.
	maxAnswers = 8 << 10
)

// sender is the sending half of a session. At most one goroutine writes to the connection at a
// time: either the goroutine with a frame to send (the direct way), or the flusher. The direct way
// saves 4 % of a round trip of 64 bytes.
type sender struct {
	conn    net.Conn
	direct  bool // see resumable
	flusher *sync.WaitGroup
	failed  func(error) // called once when the connection fails

	mu    sync.Mutex
	queue []byte // whole frames, ready to go out
	spare []byte // a small buffer to use for the next queue

	answers, answersTaken int // counted against maxAnswers: queued, being written

	busy        bool    // a goroutine is writing to the connection
	writer      *Stream // the writer, nil for the flusher
	interrupted bool    // the writer has been told to leave
	flushing    bool    // a flusher is running

	refuse  error         // why no more frames are accepted
	broken  bool          // the connection is unusable
	waiting []*Stream     // streams waiting for room in the queue
	drained chan struct{} // closed when the queue is empty; see drain

	pieces [2][]byte // the writer's
	vector net.Buffers
}

// verdict is the result of offering a data frame to the sender.
type verdict int

const (
	accepted verdict = iota // sent, or certain to be sent
	noRoom                  // the stream is told when to retry
	stopped                 // the stream has a reason to stop writing
	refused                 // no more frames are accepted
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

// answer queues an answer to the peer; false means that too many are unsent.
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

// data sends a data frame of st, directly if no other goroutine is writing. It
// keeps no reference to p.
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

// writeDirect writes the queue and the frame in one system call. The caller
// holds the lock; writeDirect releases it.
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

// requeue puts the rest of an interrupted write at the front of the queue: a
// frame once begun must be completed.
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

// interrupt makes st leave its write to the connection, if it is the writer.
// The rest of its frame is sent later.
func (o *sender) interrupt(st *Stream) {
	o.mu.Lock()
	if o.writer == st && !o.interrupted {
		o.interrupted = true
		// An error means that the connection is closed; this wakes the writer too.
		_ = o.conn.SetWriteDeadline(time.Unix(1, 0))
	}
	o.mu.Unlock()
}

// startFlusher starts a flusher for the queue if needed. The current writer
// calls it again when done.
func (o *sender) startFlusher() {
	if len(o.queue) == 0 || o.busy || o.flushing || o.broken {
		return
	}
	o.flushing = true
	o.flusher.Add(1)
	go o.flush()
}

// flush writes the queue until it is empty, or until another goroutine writes.
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

// take starts a write of the whole queue.
func (o *sender) take() []byte {
	batch := o.queue
	o.queue, o.spare = o.spare, nil
	o.answers, o.answersTaken = 0, o.answers
	o.busy = true
	return batch
}

// finish ends a write, releases the lock, and wakes the streams waiting for it.
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

// roomForWaiting returns the streams that can retry.
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

// seal refuses new frames. Queued frames are still sent, followed by f if it is
// not nil. The caller wakes the returned streams.
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

// abandon gives up the connection and the queue.
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

// breakLocked marks the connection as unusable. It returns true the first time.
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

// refusal returns the reason why no more frames are accepted.
func (o *sender) refusal() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.refuse
}

// drain waits until the queue is written, but no longer than limit.
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
