package exchange

import (
	"context"
	"errors"
	"slices"
	"time"
)

// plan adjusts the number of knocks to the number of waiters, sets the target's
// timer, and forgets an unwanted target. It is called with the lock held, after
// each change.
func (d *dialSide) plan(t *target) {
	now := time.Now()
	fresh, oldest := 0, time.Time{}
	for _, k := range t.sent {
		if now.Sub(k.at) < d.m.cfg.Renewal {
			if fresh == 0 {
				oldest = k.at
			}
			fresh++
		}
	}
	missing := len(t.waiters) - t.queued - fresh - t.opening
	switch {
	case missing > 0 && now.Before(t.notBefore):
		d.wakeAt(t, t.notBefore.Sub(now))
		return
	case missing < 0:
		d.dequeue(t, -missing)
	}
	for range missing {
		d.queue = append(d.queue, t.id)
		t.queued++
	}
	switch {
	case len(t.waiters) > 0 && fresh > 0:
		d.wakeAt(t, oldest.Add(d.m.cfg.Renewal).Sub(now))
	case t.wake != nil:
		t.wake.Stop()
	}
	if len(t.waiters) == 0 && len(t.sent) == 0 && t.opening == 0 {
		delete(d.targets, t.id)
	}
}

// dequeue removes knocks still waiting for their turn, the latest first.
func (d *dialSide) dequeue(t *target, n int) {
	for i := len(d.queue) - 1; i >= 0 && n > 0 && t.queued > 0; i-- {
		if d.queue[i] == t.id {
			d.queue = slices.Delete(d.queue, i, i+1)
			t.queued--
			n--
		}
	}
}

func (d *dialSide) wakeAt(t *target, wait time.Duration) {
	if t.wake != nil {
		t.wake.Reset(wait)
		return
	}
	t.wake = time.AfterFunc(wait, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.targets[t.id] == t {
			d.plan(t)
			d.next()
		}
	})
}

func (d *dialSide) wakeUp() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next()
}

// next assigns the turn if it is free. It is called with the lock held, after
// each change.
func (d *dialSide) next() {
	if d.closed != nil || d.current != nil || d.opener {
		return
	}
	if len(d.mains) > 0 {
		// While a knock is unanswered, the other side may assign the next
		// stream to it. An old knock is lost.
		if main := d.mains[0]; len(d.sent) == 0 || time.Since(main.since) >= d.m.cfg.Renewal {
			d.mains = d.mains[1:]
			d.enqueue(opening{main: main})
		}
		return
	}
	if d.link == nil || len(d.queue) == 0 {
		return
	}
	t := d.targets[d.queue[0]]
	d.queue = d.queue[1:]
	t.queued--
	d.knock(t)
}

// knock sends a knock.
func (d *dialSide) knock(t *target) {
	k := &knock{id: t.id, at: time.Now()}
	d.forgetOldest()
	d.current = k
	d.sent = append(d.sent, k)
	t.sent = append(t.sent, k)
	d.link.push(&outgoing{
		info: Info{ServiceID: t.id, Knock: &Knock{Knock: true}},
		sent: func(err error) {
			if err == nil {
				d.startPatience(k)
			}
		},
	}) // if the link has ended, ended is called
	d.plan(t)
}

// forgetOldest limits the number of abandoned knocks.
func (d *dialSide) forgetOldest() {
	if len(d.sent) < d.m.cfg.MaxUnclaimed {
		return
	}
	for _, k := range d.sent {
		if t := d.targets[k.id]; len(t.waiters) < len(t.sent) {
			d.settle(t, k)
			d.plan(t)
			return
		}
	}
}

// startPatience starts the time of a knock when it has been sent.
func (d *dialSide) startPatience(k *knock) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.current != k {
		return
	}
	d.patience = time.AfterFunc(d.share(), func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.current == k {
			d.release()
			d.next()
		}
	})
}

// share is the current knock's part of the patience.
func (d *dialSide) share() time.Duration {
	unanswered, now := time.Duration(0), time.Now()
	for i := len(d.sent) - 1; i >= 0 && unanswered < leastShare; i-- {
		if now.Sub(d.sent[i].at) < d.m.cfg.Renewal {
			unanswered++
		}
	}
	return d.m.cfg.Patience / max(unanswered, 1)
}

// leastShare is the divisor of the smallest part of the patience.
const leastShare = 20

// release ends the current knock's turn.
func (d *dialSide) release() {
	d.current = nil
	if d.patience != nil {
		d.patience.Stop()
		d.patience = nil
	}
}

// opening is a stream to open: for an acknowledged ID, or for the main
// connection.
type opening struct {
	id   uint32
	main *mainDial
}

// enqueue queues a stream to open. The opening goroutine lives until the queue
// is empty.
func (d *dialSide) enqueue(o opening) {
	d.opens = append(d.opens, o)
	if !d.opener {
		d.opener = true
		d.m.running.Go(d.open)
	}
}

func (d *dialSide) open() {
	for {
		d.mu.Lock()
		if len(d.opens) == 0 {
			d.opener = false
			d.next()
			d.mu.Unlock()
			return
		}
		o := d.opens[0]
		d.opens = d.opens[1:]
		skip := o.main != nil && o.main.gone
		d.mu.Unlock()
		if !skip {
			d.openOne(o)
		}
	}
}

// openOne opens a stream, hands it out, and waits for the other side to accept
// it.
func (d *dialSide) openOne(o opening) {
	stream, err := d.m.mux.Open(d.m.ctx)
	if err != nil {
		d.opened(o, dialled{err: d.m.openError(err)})
		return
	}
	wanted := d.opened(o, dialled{conn: stream})
	if !wanted {
		discard(stream)
	}
	ctx, cancel := context.WithTimeout(d.m.ctx, d.m.cfg.AcceptTimeout)
	defer cancel()
	err = stream.Acknowledged(ctx)
	if !wanted {
		// Close leaves the stream open until the other side closes it too.
		_ = stream.Reset()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		d.m.warner.warn(d.m.ctx, "a stream is not accepted", o.id)
	}
}

// opened passes the stream to a waiting dial. It returns false if there is none.
func (d *dialSide) opened(o opening, r dialled) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if o.main != nil {
		if !o.main.gone {
			o.main.result <- r
		}
		return !o.main.gone
	}
	t := d.targets[o.id]
	if t == nil { // closed
		return false
	}
	t.opening--
	given := d.give(o.id, r)
	d.plan(t)
	return given
}
