package exchange

import (
	"log/slog"
	"sync"
	"time"

	"github.com/jackfield-go/jackfield/broker"
)

// acceptSide is the listening side: the received knocks, the streams expected
// after their acknowledgements, and the listeners for them.
type acceptSide struct {
	m *Multiplexed

	mu        sync.Mutex
	closed    error // the reason of the end; nil before
	started   bool
	link      *link // nil without a control stream
	main      *muxListener
	hasMain   bool // a main listener exists or existed: a stream may arrive right after it closed
	listeners map[uint32]*muxListener
	expected  []*muxListener // the listeners of the next streams
	pending   []pendingKnock // without a listener, or with a full listener; the oldest first
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

// start begins accepting the streams of mux.
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

// arrived passes a stream to the listener whose knock was acknowledged first,
// or to the main listener.
func (a *acceptSide) arrived(stream broker.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.main
	if len(a.expected) > 0 {
		l = a.expected[0]
		a.expected = a.expected[1:]
		l.expected--
		if l.closed != nil {
			l = a.listeners[l.id] // a new listener for this ID, or none
		}
	} else if !a.hasMain && a.closed == nil {
		a.m.warner.warn(a.m.ctx, "a stream without a knock", 0)
	}
	if l == nil || !l.put(stream) {
		_ = stream.Reset()
	}
}

// knocked handles a knock of the other side.
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

// admit acknowledges a knock. The stream is expected even before the answer is
// sent, since it may follow at once.
func (a *acceptSide) admit(l *muxListener) {
	a.expected = append(a.expected, l)
	l.expected++
	a.answer(l.id, "")
}

func (a *acceptSide) refuse(id uint32) {
	a.m.cfg.Logger.LogAttrs(a.m.ctx, slog.LevelDebug, "refusing a brokered connection without a listener",
		slog.Uint64("id", uint64(id)))
	a.answer(id, noListener)
}

func (a *acceptSide) answer(id uint32, refusal string) {
	a.link.push(&outgoing{
		info:   Info{ServiceID: id, Knock: &Knock{Knock: true, Ack: true, Error: refusal}},
		answer: true,
	}) // if the link has ended, nobody waits for the answer
}

// admitPending admits the waiting knocks for l, as far as it has room.
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

// expire refuses knocks past their timeout.
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

// began and ended change the control stream. Streams expected after knocks on
// the old stream may arrive until a new one begins.
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

// taken runs when l has room again.
func (a *acceptSide) taken(l *muxListener) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.pending) > 0 && l.closed == nil && l != a.main {
		a.admitPending(l)
	}
}
