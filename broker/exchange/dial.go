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

// dialSide is what dials: who waits for which ID, the knocks, and the
// streams to be opened. Whose turn it is, is the subject of turns.go.
type dialSide struct {
	m *Multiplexed

	mu      sync.Mutex
	closed  error // not nil: it is over, and why
	link    *link // nil while there is no control stream
	targets map[uint32]*target

	mains    []*mainDial // first in turn
	queue    []uint32    // knocks whose turn has not come
	current  *knock      // the one whose turn it is
	patience *time.Timer // for the current one
	sent     []*knock    // not answered, the current one included; the oldest first
	opens    []opening   // streams to be opened, in order
	opener   bool        // somebody does
}

// target is an ID that is dialled.
type target struct {
	id      uint32
	waiters []*waiter
	queued  int      // so many of dialSide.queue
	sent    []*knock // those of dialSide.sent
	opening int      // acknowledged, and the stream is not open yet

	backoff   time.Duration
	notBefore time.Time   // of the next knock, after a refusal
	wake      *time.Timer // to look at the target again; nil if never set
}

// waiter is a Dial that waits.
type waiter struct{ result chan dialled } // has room for one

type dialled struct {
	conn broker.Conn
	err  error
}

// knock is one that was sent.
type knock struct {
	id uint32
	at time.Time
}

func (d *dialSide) init(m *Multiplexed) {
	d.m = m
	d.targets = make(map[uint32]*target)
}

// dial waits for a stream to id. ctx is one of control.bound.
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

// connection avoids an interface that holds nothing and is not nil.
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

// leave takes a waiter back and says what it waited for. A stream that it was
// given in the meantime goes to the next one.
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
		default: // the side was closed
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
		return "nobody listens for it at the other side yet"
	case t != nil && len(t.sent) == 0:
		return "other dials are under way"
	default:
		return "the other side has not answered"
	}
}

// give hands a result to the longest waiting for id; false if there is nobody.
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

// answered takes the answer to a knock; false if there was none.
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
		d.give(id, dialled{err: &KnockError{ID: id, Text: quote(refusal)}})
	}
	d.plan(t)
	d.next()
	return true
}

// settle forgets a knock: it was answered, or never will be.
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

// refused puts the next knock off, if the answer came quickly: there is no
// listener, and asking all the time does not bring one.
func (t *target) refused(k *knock) {
	t.backoff = min(max(2*t.backoff, minBackoff), maxBackoff)
	t.notBefore = k.at.Add(t.backoff)
}

// began and ended change the control stream. Knocks that were not answered on
// the old one are made again on the new one.
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

// close makes everything that waits return cause.
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

// mainDial is an OpenMain that waits.
type mainDial struct {
	result chan dialled // has room for one
	since  time.Time
	gone   bool
}

// openMain waits for the main connection's stream. ctx is one of control.bound.
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

// discard ends a stream that nobody wants. It was opened because the other side
// counts on it; the one that closes it in order gets in no acceptor's way.
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
