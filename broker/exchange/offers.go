package exchange

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// maxAddress bounds an address; no socket path and no host name is longer.
const maxAddress = 4096

// offer is what the other side said of an ID.
type offer struct {
	id               uint32
	network, address string
	err              error // not nil: it is of no use, and why
}

// newOffer takes an info that is no knock.
func newOffer(info Info) *offer {
	o := &offer{id: info.ServiceID}
	if reason := faultOf(info); reason != "" {
		o.err = &InfoError{ID: info.ServiceID, Reason: reason}
		return o
	}
	// A copy of its own: the info may be a part of a big message.
	o.network, o.address = info.Network, strings.Clone(info.Address)
	return o
}

// faultOf says what keeps an offer from being dialled, or nothing.
func faultOf(info Info) string {
	switch {
	case info.Network != "unix" && info.Network != "tcp":
		return "its network is " + strconv.Quote(quote(info.Network)) + ", neither unix nor tcp"
	case info.Address == "":
		return "it has no address"
	case len(info.Address) > maxAddress:
		return "its address has " + strconv.Itoa(len(info.Address)) + " bytes"
	case strings.ContainsRune(info.Address, 0):
		return "its address has a zero byte in it"
	default:
		return ""
	}
}

// offers is the table of what the other side offered, and of who waits for it.
type offers struct {
	limit int

	mu      sync.Mutex
	from    *link // whose offers these are
	byID    map[uint32]*offer
	order   []*offer // the oldest first
	waiting map[uint32]*await
}

// await is what all those share that wait for one ID.
type await struct {
	waiters int
	come    chan struct{} // closed once offer is set
	offer   *offer
}

func (t *offers) init(limit int) {
	t.limit = limit
	t.byID = make(map[uint32]*offer)
	t.waiting = make(map[uint32]*await)
}

// put replaces what was offered for the ID before, and wakes who waits.
func (t *offers) put(from *link, o *offer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.from != from {
		return
	}
	if before := t.byID[o.id]; before != nil {
		t.drop(before)
	} else if len(t.order) >= t.limit {
		t.drop(t.order[0])
	}
	t.byID[o.id] = o
	t.order = append(t.order, o)
	if a := t.waiting[o.id]; a != nil {
		delete(t.waiting, o.id)
		a.offer = o
		close(a.come)
	}
}

func (t *offers) drop(o *offer) {
	delete(t.byID, o.id)
	i := slices.Index(t.order, o)
	t.order = slices.Delete(t.order, i, i+1)
}

// get waits for an offer other than stale, which may be nil. ctx is one of
// control.bound, or ends with it.
func (t *offers) get(ctx context.Context, id uint32, stale *offer) (*offer, error) {
	t.mu.Lock()
	if o := t.byID[id]; o != nil && o != stale {
		t.mu.Unlock()
		return o, nil
	}
	a := t.waiting[id]
	if a == nil {
		a = &await{come: make(chan struct{})}
		t.waiting[id] = a
	}
	a.waiters++
	t.mu.Unlock()

	select {
	case <-a.come:
		return a.offer, nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.waiters--; a.waiters == 0 && t.waiting[id] == a {
		delete(t.waiting, id)
	}
	return nil, context.Cause(ctx)
}

// restart forgets all offers and takes those of another link from now on. Who
// waits goes on waiting.
func (t *offers) restart(from *link) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.from = from
	clear(t.byID)
	t.order = nil
}
