package exchange

import (
	"log/slog"
	"sync"
	"time"

	"github.com/jackfield-go/jackfield/broker"
)

// acceptSide is what listens: the knocks that came, the streams that are
// expected after their acknowledgements, and the listeners that get them.
type acceptSide struct {
	m *Multiplexed

	mu        sync.Mutex
	closed    error // not nil: it is over, and why
	started   bool
	link      *link // nil while there is no control stream
	main      *muxListener
	hasMain   bool // there is or was a main listener: a stream may come when it has just closed
	listeners map[uint32]*muxListener
	expected  []*muxListener // whose the next streams are
	pending   []pendingKnock // without a listener, or one with room; the oldest first
	expiry    *time.Timer    // for the first of pending; nil if never set
}

type pendingKnock struct {
	id  uint32
	due time.Time
}

func (a *acceptSide) init(m *Multiplexed) {
	a.m = m
	a.listeners = make(map[uint32]*muxListener)
}

// start has the streams of mux accepted from now on.
func (a *acceptSide) start() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.startLocked()
}

func (a *acceptSide) startLocked() {
	if a.closed == nil && !a.started {
		a.started = true
		a.m.running.Go(a.acceptStreams)
	}
}

func (a *acceptSide) acceptStreams() {
	for {
		stream, err := a.m.mux.Accept(a.m.ctx)
		if err != nil {
			a.m.over(a.m.ending(err))
			return
		}
		a.arrived(stream)
	}
}

// arrived hands a stream to the listener whose knock was acknowledged first, or
// to the main one.
func (a *acceptSide) arrived(stream broker.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.main
	if len(a.expected) > 0 {
		l = a.expected[0]
		a.expected = a.expected[1:]
		l.expected--
		if l.closed != nil {
			l = a.listeners[l.id] // another one for that ID, or none
		}
	} else if !a.hasMain && a.closed == nil {
		a.m.warner.warn(a.m.ctx, "a stream without a knock", 0)
	}
	if l == nil || !l.put(stream) {
		_ = stream.Reset()
	}
}

// knocked takes a knock of the other side's.
func (a *acceptSide) knocked(from *link, id uint32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.link != from {
		return
	}
	if l := a.listeners[id]; l != nil && l.hasRoom() {
		a.admit(l)
		return
	}
	if len(a.pending) >= a.m.cfg.MaxUnclaimed {
		a.refuse(id)
		return
	}
	a.pending = append(a.pending, pendingKnock{id, time.Now().Add(a.m.cfg.UnclaimedTimeout)})
	if len(a.pending) == 1 {
		a.awaitExpiry()
	}
}

// admit acknowledges a knock. The stream is expected from before the answer is
// on its way: it may follow at once.
func (a *acceptSide) admit(l *muxListener) {
	a.expected = append(a.expected, l)
	l.expected++
	a.answer(l.id, "")
}

func (a *acceptSide) refuse(id uint32) {
	a.m.cfg.Logger.LogAttrs(a.m.ctx, slog.LevelDebug, "refusing a brokered connection that nobody listens for",
		slog.Uint64("id", uint64(id)))
	a.answer(id, noListener)
}

func (a *acceptSide) answer(id uint32, refusal string) {
	a.link.push(&outgoing{
		info:   Info{ServiceID: id, Knock: &Knock{Knock: true, Ack: true, Error: refusal}},
		answer: true,
	}) // if the link is over, nobody waits for it
}

// admitPending admits as many of the knocks for l that wait as it has room for.
func (a *acceptSide) admitPending(l *muxListener) {
	kept := a.pending[:0]
	for _, k := range a.pending {
		if k.id == l.id && l.hasRoom() {
			a.admit(l)
		} else {
			kept = append(kept, k)
		}
	}
	a.pending = kept
	a.awaitExpiry()
}

// awaitExpiry sets the timer for the first of pending.
func (a *acceptSide) awaitExpiry() {
	switch {
	case len(a.pending) == 0:
		if a.expiry != nil {
			a.expiry.Stop()
		}
	case a.expiry == nil:
		a.expiry = time.AfterFunc(time.Until(a.pending[0].due), a.expire)
	default:
		a.expiry.Reset(time.Until(a.pending[0].due))
	}
}

// expire refuses the knocks that have waited long enough.
func (a *acceptSide) expire() {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	for len(a.pending) > 0 && !a.pending[0].due.After(now) {
		a.refuse(a.pending[0].id)
		a.pending = a.pending[1:]
	}
	a.awaitExpiry()
}

// began and ended change the control stream. The streams that are expected on
// account of the old one may come until there is a new one.
func (a *acceptSide) began(l *link) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed != nil {
		return
	}
	a.link = l
	a.forgetPending()
	for _, l := range a.expected {
		l.expected = 0
	}
	a.expected = nil
}

func (a *acceptSide) ended(l *link) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.link == l {
		a.link = nil
		a.forgetPending()
	}
}

func (a *acceptSide) forgetPending() {
	a.pending = nil
	a.awaitExpiry()
}

// close closes all listeners.
func (a *acceptSide) close(cause error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed != nil {
		return
	}
	a.closed = cause
	a.link = nil
	a.forgetPending()
	a.expected = nil
	if a.main != nil {
		a.main.end(cause)
	}
	for _, l := range a.listeners {
		l.end(cause)
	}
	clear(a.listeners)
}

// mainListener returns the listener for streams without a knock.
func (a *acceptSide) mainListener() *muxListener {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.main != nil {
		return a.main
	}
	a.hasMain = true
	a.main = newMuxListener(a, 0, a.m.cfg.Backlog)
	if a.closed != nil {
		a.main.end(a.closed)
	}
	a.startLocked()
	return a.main
}

// listen returns a new listener for id.
func (a *acceptSide) listen(id uint32) (*muxListener, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.closed != nil:
		return nil, a.closed
	case a.listeners[id] != nil:
		return nil, ErrListening
	}
	l := newMuxListener(a, id, a.m.cfg.Backlog)
	a.listeners[id] = l
	a.admitPending(l)
	a.startLocked()
	return l, nil
}

// taken is told that l has room again.
func (a *acceptSide) taken(l *muxListener) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.pending) > 0 && l.closed == nil && l != a.main {
		a.admitPending(l)
	}
}
