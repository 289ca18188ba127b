package broker

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// table matches connections that came with a number with those who wait for it.
type table struct {
	limit   int
	timeout time.Duration

	mu       sync.Mutex
	closed   bool
	waiters  map[uint32][]chan Conn
	arrivals map[uint32][]*arrival
	order    list.List // of *arrival, the oldest first
}

// arrival is a connection that nobody has accepted yet.
type arrival struct {
	id    uint32
	conn  Conn
	timer *time.Timer
	place *list.Element
}

func (t *table) init(limit int, timeout time.Duration) {
	t.limit = limit
	t.timeout = timeout
	t.waiters = make(map[uint32][]chan Conn)
	t.arrivals = make(map[uint32][]*arrival)
}

// offer hands conn to who waits for id, or keeps it until somebody does. It
// returns false if the table is closed: conn is the caller's still.
func (t *table) offer(id uint32, conn Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	if queue := t.waiters[id]; len(queue) > 0 {
		t.setWaiters(id, queue[1:])
		queue[0] <- conn
		return true
	}
	t.dropGone()
	if t.order.Len() >= t.limit {
		t.drop(t.order.Front().Value.(*arrival))
	}
	a := &arrival{id: id, conn: conn}
	a.place = t.order.PushBack(a)
	t.arrivals[id] = append(t.arrivals[id], a)
	if t.timeout > 0 {
		a.timer = time.AfterFunc(t.timeout, func() { t.expire(a) })
	}
	return true
}

// claim waits for a connection that came with id.
func (t *table) claim(ctx context.Context, id uint32, ended <-chan struct{}) (Conn, error) {
	t.mu.Lock()
	if err := ctx.Err(); err != nil {
		t.mu.Unlock()
		return nil, err
	}
	if t.closed {
		t.mu.Unlock()
		return nil, ErrClosed
	}
	t.dropGone()
	if queue := t.arrivals[id]; len(queue) > 0 {
		conn := queue[0].conn
		t.forget(queue[0])
		t.mu.Unlock()
		return conn, nil
	}
	ready := make(chan Conn, 1)
	t.waiters[id] = append(t.waiters[id], ready)
	t.mu.Unlock()

	select {
	case conn, ok := <-ready:
		if !ok {
			return nil, ErrClosed
		}
		return conn, nil
	case <-ended:
		t.withdraw(id, ready)
		return nil, ErrClosed
	case <-ctx.Done():
		t.withdraw(id, ready)
		return nil, ctx.Err()
	}
}

// withdraw takes a waiter back. A connection that it was given in the meantime
// is offered again.
func (t *table) withdraw(id uint32, ready chan Conn) {
	t.mu.Lock()
	queue := t.waiters[id]
	for i, waiter := range queue {
		if waiter == ready {
			t.setWaiters(id, append(queue[:i:i], queue[i+1:]...))
			break
		}
	}
	t.mu.Unlock()
	select {
	case conn, ok := <-ready:
		if ok && !t.offer(id, conn) {
			_ = conn.Reset()
		}
	default:
	}
}

func (t *table) setWaiters(id uint32, queue []chan Conn) {
	if len(queue) == 0 {
		delete(t.waiters, id)
		return
	}
	t.waiters[id] = queue
}

// dropGone forgets the connections whose dialers have given them up.
func (t *table) dropGone() {
	var next *list.Element
	for e := t.order.Front(); e != nil; e = next {
		next = e.Next()
		a := e.Value.(*arrival)
		select {
		case <-a.conn.Done():
			t.drop(a)
		default:
		}
	}
}

// expire drops a connection for which nobody has come in time.
func (t *table) expire(a *arrival) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.place != nil {
		t.drop(a)
	}
}

func (t *table) drop(a *arrival) {
	t.forget(a)
	_ = a.conn.Reset()
}

func (t *table) forget(a *arrival) {
	if a.timer != nil {
		a.timer.Stop()
	}
	t.order.Remove(a.place)
	a.place = nil
	queue := t.arrivals[a.id]
	for i, other := range queue {
		if other == a {
			queue = append(queue[:i:i], queue[i+1:]...)
			break
		}
	}
	if len(queue) == 0 {
		delete(t.arrivals, a.id)
		return
	}
	t.arrivals[a.id] = queue
}

func (t *table) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for t.order.Len() > 0 {
		t.drop(t.order.Front().Value.(*arrival))
	}
	for id, queue := range t.waiters {
		for _, ready := range queue {
			close(ready)
		}
		delete(t.waiters, id)
	}
}
