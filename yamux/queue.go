package yamux

import "sync"

const (
	// smallBuffer is the size of the queue buffers kept by an idle session: a
	// header and a copied payload.
	smallBuffer = headerSize + copyLimit

	// bigBuffer is enough for the queue's normal maximum length.
	bigBuffer = maxQueue + maxFrame + smallBuffer
)

// bigBuffers keeps big queue buffers for reuse. It is a cache for all sessions, emptied by the
// garbage collector. Without it, bulk transfer through the queue takes three times as long.
var bigBuffers sync.Pool // of *[bigBuffer]byte

// push appends a frame to the queue.
func (o *sender) push(f frame, p []byte) {
	o.reserve(headerSize + len(p))
	o.queue = append(f.append(o.queue), p...)
}

// extend appends bytes to the queue.
func (o *sender) extend(p []byte) {
	o.reserve(len(p))
	o.queue = append(o.queue, p...)
}

// reserve makes room for n more bytes. Beyond a big buffer, append allocates.
func (o *sender) reserve(n int) {
	need := len(o.queue) + n
	if need <= cap(o.queue) || need <= smallBuffer || need > bigBuffer {
		return
	}
	small := o.queue
	big, ok := bigBuffers.Get().(*[bigBuffer]byte)
	if !ok {
		big = new([bigBuffer]byte)
	}
	o.queue = big[:copy(big[:], small)]
	o.keep(small)
}

// keep stores an unused queue buffer for reuse.
func (o *sender) keep(b []byte) {
	switch {
	case cap(b) == bigBuffer:
		bigBuffers.Put((*[bigBuffer]byte)(b[:bigBuffer]))
	case cap(b) > 2*smallBuffer || cap(b) == 0:
	case o.queue == nil:
		o.queue = b[:0]
	case o.spare == nil:
		o.spare = b[:0]
	}
}
