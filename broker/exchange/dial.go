package exchange

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/jackfield-go/jackfield/broker"
)

// dialSide is the dialling side: the waiting dials for each ID, the knocks, and
// the streams to open. turns.go assigns the turns.
type dialSide struct {
	m *Multiplexed

	mu      sync.Mutex
	closed  error // the reason of the end; nil before
	link    *link // nil without a control stream
	targets map[uint32]*target

	mains    []*mainDial // ahead of all knocks
	queue    []uint32    // knocks waiting for their turn
	current  *knock      // the knock with the turn
	patience *time.Timer // for the current one
	sent     []*knock    // unanswered, including the current one; the oldest first
	opens    []opening   // streams to open, in order
	opener   bool        // a goroutine is opening them
}

// target is a dialled ID.
type target struct {
	id      uint32
	waiters []*waiter
	queued  int      // number of entries in dialSide.queue
	sent    []*knock // its entries in dialSide.sent
	opening int      // acknowledged, with a stream still to open

	backoff   time.Duration
	notBefore time.Time   // earliest time of the next knock, after a refusal
	wake      *time.Timer // to replan the target; nil if never set
}

// waiter is a waiting Dial.
type waiter struct{ result chan dialled } // has a buffer of one

type dialled struct {
	conn broker.Conn
	err  error
}

// knock is a sent knock.
type knock struct {
	id uint32
	at time.Time
}

func (d *dialSide) init(m *Multiplexed) {
	d.m = m
	d.targets = make(map[uint32]*target)
}

// dial waits for a stream to id. ctx must come from control.bound.
func (d *dialSide) dial(ctx context.Context, id uint32) (net.Conn, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	w := &waiter{result: make(chan dialled, 1)}
	if err := d.join(id, w); err != nil {
		return nil, err
	}
	select {
	case r := <-w.result:
		return r.connection()
	case <-d.m.mux.Done():
		d.leave(id, w)
		return nil, d.m.ending(nil)
	case <-ctx.Done():
		state, cause := d.leave(id, w), context.Cause(ctx)
		if errors.Is(cause, net.ErrClosed) {
			return nil, cause
		}
		return nil, fmt.Errorf("%s: %w", state, cause)
	}
}

// connection avoids a non-nil interface with a nil value.
func (r dialled) connection() (net.Conn, error) {
	if r.err != nil {
		return nil, r.err
	}
	return r.conn, nil
}

func (d *dialSide) join(id uint32, w *waiter) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed != nil {
		return d.closed
	}
	t := d.targets[id]
	if t == nil {
		t = &target{id: id}
		d.targets[id] = t
	}
	t.waiters = append(t.waiters, w)
	d.plan(t)
	d.next()
	return nil
}

// leave removes a waiter and returns the reason of its wait. A stream already
// assigned to it goes to the next waiter.
func (d *dialSide) leave(id uint32, w *waiter) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	state := d.state(id)
	t := d.targets[id]
	i := -1
	if t != nil {
		i = slices.Index(t.waiters, w)
	}
	if i < 0 {
		select {
		case r := <-w.result:
			if r.err == nil && !d.give(id, r) {
				discard(r.conn)
			}
		default: // the scheme was closed
		}
		return state
	}
	t.waiters = slices.Delete(t.waiters, i, i+1)
	d.plan(t)
	return state
}

func (d *dialSide) state(id uint32) string {
	t := d.targets[id]
	switch {
	case d.link == nil:
		return "there is no control stream"
	case t != nil && t.backoff > 0:
		return "the other side has no listener for it yet"
	case t != nil && len(t.sent) == 0:
		return "other dials are in progress"
	default:
		return "the other side has not answered"
	}
}

// give passes a result to the first waiter for id. It returns false if there is none.
func (d *dialSide) give(id uint32, r dialled) bool {
	t := d.targets[id]
	if t == nil || len(t.waiters) == 0 {
		return false
	}
	w := t.waiters[0]
	t.waiters = slices.Delete(t.waiters, 0, 1)
	w.result <- r
	return true
}

// answered handles the answer to a knock. It returns false if there was no such knock.
func (d *dialSide) answered(l *link, id uint32, refusal string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.link != l {
		return true
	}
	t := d.targets[id]
	if t == nil || len(t.sent) == 0 {
		return false
	}
	k := t.sent[0]
	d.settle(t, k)
	switch refusal {
	case "":
		t.backoff = 0
		t.opening++
		d.enqueue(opening{id: id})
	case noListener:
		t.refused(k)
	default:
		d.give(id, dialled{err: &RefusedError{ID: id, Text: quote(refusal)}})
	}
	d.plan(t)
	d.next()
	return true
}

// settle forgets a knock, answered or lost.
func (d *dialSide) settle(t *target, k *knock) {
	t.sent = without(t.sent, k)
	d.sent = without(d.sent, k)
	if d.current == k {
		d.release()
	}
}

const (
	minBackoff = 10 * time.Millisecond
	maxBackoff = time.Second
)

// refused delays the next knock after a quick refusal: there is no listener,
// and constant knocking does not create one.
func (t *target) refused(k *knock) {
	t.backoff = min(max(2*t.backoff, minBackoff), maxBackoff)
	t.notBefore = k.at.Add(t.backoff)
}

// began and ended change the control stream. Knocks unanswered on the old
// stream are repeated on the new one.
func (d *dialSide) began(l *link) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed != nil {
		return
	}
	d.forgetSent()
	d.link = l
	d.next()
}

func (d *dialSide) ended(l *link) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.link != l {
		return
	}
	d.link = nil
	d.forgetSent()
	d.next() // a main connection may have waited
}

func (d *dialSide) forgetSent() {
	d.release()
	again := d.sent
	d.sent = nil
	queued := d.queue
	d.queue = nil
	for _, k := range again {
		t := d.targets[k.id]
		t.sent = nil
	}
	for _, k := range again {
		if t := d.targets[k.id]; t != nil {
			t.backoff, t.notBefore = 0, time.Time{}
			d.plan(t)
		}
	}
	d.queue = append(d.queue, queued...)
}

// close ends all waits with cause.
func (d *dialSide) close(cause error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed != nil {
		return
	}
	d.closed = cause
	d.link = nil
	d.release()
	for _, t := range d.targets {
		if t.wake != nil {
			t.wake.Stop()
		}
		for _, w := range t.waiters {
			w.result <- dialled{err: cause}
		}
	}
	for _, main := range d.mains {
		main.result <- dialled{err: cause}
	}
	for _, o := range d.opens {
		if o.main != nil {
			o.main.result <- dialled{err: cause}
		}
	}
	clear(d.targets)
	d.mains, d.queue, d.sent, d.opens = nil, nil, nil, nil
}

// mainDial is a waiting OpenMain.
type mainDial struct {
	result chan dialled // has a buffer of one
	since  time.Time
	gone   bool
}

// openMain waits for the main connection's stream. ctx must come from control.bound.
func (d *dialSide) openMain(ctx context.Context) (net.Conn, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	main := &mainDial{result: make(chan dialled, 1), since: time.Now()}
	d.mu.Lock()
	if d.closed != nil {
		defer d.mu.Unlock()
		return nil, d.closed
	}
	d.mains = append(d.mains, main)
	if len(d.sent) > 0 {
		defer time.AfterFunc(d.m.cfg.Renewal, d.wakeUp).Stop()
	}
	d.next()
	d.mu.Unlock()
	select {
	case r := <-main.result:
		return r.connection()
	case <-d.m.mux.Done():
		d.leaveMain(main)
		return nil, d.m.ending(nil)
	case <-ctx.Done():
		d.leaveMain(main)
		return nil, context.Cause(ctx)
	}
}

func (d *dialSide) leaveMain(main *mainDial) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mains = without(d.mains, main)
	main.gone = true
	select {
	case r := <-main.result:
		if r.err == nil {
			discard(r.conn)
		}
	default:
	}
	d.next()
}

// discard closes an unwanted stream. It was opened because the other side
// expects it; an orderly close disturbs no acceptor.
func discard(stream broker.Conn) {
	_ = stream.Close()
}

// without returns queue without item.
func without[T comparable](queue []T, item T) []T {
	if i := slices.Index(queue, item); i >= 0 {
		return slices.Delete(queue, i, i+1)
	}
	return queue
}
