package broker

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"
)

// table matches connections by their ID with waiting Accepts.
type table struct {
	limit   int
	timeout time.Duration

	mu       sync.Mutex
	closed   bool
	waiters  map[uint32][]chan Conn
	arrivals map[uint32][]*arrival
	order    []*arrival // the oldest first
}

// arrival is an unclaimed connection.
type arrival struct {
	id    uint32
	conn  Conn
	timer *time.Timer
}

func (t *table) init(limit int, timeout time.Duration) {
	t.limit = limit
	t.timeout = timeout
	t.waiters = make(map[uint32][]chan Conn)
	t.arrivals = make(map[uint32][]*arrival)
}

// offer passes conn to a wait for id, or keeps it for a later one. It returns
// false if the table is closed: conn then stays with the caller.
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
	if len(t.order) >= t.limit {
		t.drop(t.order[0])
	}
	a := &arrival{id: id, conn: conn}
	t.order = append(t.order, a)
	t.arrivals[id] = append(t.arrivals[id], a)
	if t.timeout > 0 {
		a.timer = time.AfterFunc(t.timeout, func() { t.expire(a) })
	}
	return true
}

// claim waits for a connection with this id.
func (t *table) claim(ctx context.Context, id uint32, ended <-chan struct{}) (Conn, error) {
	t.mu.Lock()
	if err := ctx.Err(); err != nil {
		t.mu.Unlock()
		return nil, err
	}
	if t.closed {
		t.mu.Unlock()
		return nil, net.ErrClosed
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
			return nil, net.ErrClosed
		}
		return conn, nil
	case <-ended:
		t.withdraw(id, ready)
		return nil, net.ErrClosed
	case <-ctx.Done():
		t.withdraw(id, ready)
		return nil, ctx.Err()
	}
}

// withdraw removes a waiter. A connection already assigned to it is offered
// again.
func (t *table) withdraw(id uint32, ready chan Conn) {
	t.mu.Lock()
	t.setWaiters(id, without(t.waiters[id], ready))
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

// dropGone forgets connections abandoned by their dialers: an unconfirmed
// connection has no other end.
func (t *table) dropGone() {
	for _, a := range slices.Clone(t.order) {
		if isClosed(a.conn.PeerDone()) {
			t.drop(a)
		}
	}
}

// expire drops a connection unclaimed at its timeout.
func (t *table) expire(a *arrival) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if slices.Contains(t.order, a) {
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
	t.order = without(t.order, a)
	if queue := without(t.arrivals[a.id], a); len(queue) > 0 {
		t.arrivals[a.id] = queue
	} else {
		delete(t.arrivals, a.id)
	}
}

// without returns queue without item.
func without[T comparable](queue []T, item T) []T {
	if i := slices.Index(queue, item); i >= 0 {
		return slices.Delete(queue, i, i+1)
	}
	return queue
}

func (t *table) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for len(t.order) > 0 {
		t.drop(t.order[0])
	}
	for id, queue := range t.waiters {
		for _, ready := range queue {
			close(ready)
		}
		delete(t.waiters, id)
	}
}
