package yamux

import "sync"

// chunk is a piece of received data; data[read:written] is unread.
type chunk struct {
	data          []byte
	read, written int
	next          *chunk
}

func (c *chunk) unread() []byte { return c.data[c.read:c.written] }
func (c *chunk) free() []byte   { return c.data[c.written:] }

// chunkSizes are the sizes of chunks. Frames too big for the receive buffer are
// read directly into the smallest chunk that fits, so at most half of a chunk
// is unused.
var chunkSizes = [...]int{1 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10}

// maxChunk also limits the part of a big frame received before its reader
// wakes.
const maxChunk = 32 << 10

// chunkPools keeps chunks for reuse, by size. It is a stateless cache for all sessions, emptied by
// the garbage collector. Without it, bulk transfer takes twice the processor time.
var chunkPools [len(chunkSizes)]sync.Pool

// newChunk returns an empty chunk for n bytes, up to the largest size.
func newChunk(n int) *chunk {
	for i, size := range chunkSizes {
		if n > size && i < len(chunkSizes)-1 {
			continue
		}
		if c, ok := chunkPools[i].Get().(*chunk); ok {
			return c
		}
		return &chunk{data: make([]byte, size)}
	}
	return nil // unreachable: the last size always returns
}

// recycle returns an unused chunk to its pool.
func (c *chunk) recycle() {
	c.read, c.written, c.next = 0, 0, nil
	for i, size := range chunkSizes {
		if len(c.data) == size {
			chunkPools[i].Put(c)
			return
		}
	}
}

// fifo is received data in order. The zero value is empty.
type fifo struct {
	head, tail *chunk
	size       int
}

// push appends a filled chunk and takes ownership of it.
func (q *fifo) push(c *chunk) {
	if q.tail == nil {
		q.head = c
	} else {
		q.tail.next = c
	}
	q.tail = c
	q.size += c.written
}

// write appends a copy of p, filling the last chunk first.
func (q *fifo) write(p []byte) {
	q.size += len(p)
	for len(p) > 0 {
		if q.tail == nil || len(q.tail.free()) == 0 {
			q.push(newChunk(len(p)))
		}
		n := copy(q.tail.free(), p)
		q.tail.written += n
		p = p[n:]
	}
}

// read moves data into p and recycles emptied chunks.
func (q *fifo) read(p []byte) (n int) {
	for n < len(p) && q.head != nil {
		m := copy(p[n:], q.head.unread())
		q.head.read += m
		n += m
		if q.head.read == q.head.written {
			q.pop().recycle()
		}
	}
	q.size -= n
	return n
}

// pop removes the first chunk, or returns nil if there is none. The caller recycles it.
func (q *fifo) pop() *chunk {
	c := q.head
	if c == nil {
		return nil
	}
	q.size -= c.written - c.read
	q.head = c.next
	if q.head == nil {
		q.tail = nil
	}
	c.next = nil
	return c
}

// clear drops all data.
func (q *fifo) clear() {
	for q.head != nil {
		q.pop().recycle()
	}
}
