package exchange

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// maxAddress limits an address; socket paths and host names are shorter.
const maxAddress = 4096

// offer is the other side's offer for an ID.
type offer struct {
	id               uint32
	network, address string
	err              error // the reason why it is invalid, or nil
}

// newOffer converts an info without a knock.
func newOffer(info Info) *offer {
	o := &offer{id: info.ServiceID}
	if reason := faultOf(info); reason != "" {
		o.err = &OfferError{ID: info.ServiceID, Reason: reason}
		return o
	}
	// A copy, since the info may be a part of a big message.
	o.network, o.address = info.Network, strings.Clone(info.Address)
	return o
}

// faultOf returns the fault in an offer, or "".
func faultOf(info Info) string {
	switch {
	case info.Network != "unix" && info.Network != "tcp":
		return "its network is " + strconv.Quote(quote(info.Network)) + ", neither unix nor tcp"
	case info.Address == "":
		return "it has no address"
	case len(info.Address) > maxAddress:
		return "its address has " + strconv.Itoa(len(info.Address)) + " bytes"
	case strings.ContainsRune(info.Address, 0):
		return "its address contains a zero byte"
	default:
		return ""
	}
}

// offers is the table of the other side's offers and of the waits for them.
type offers struct {
	limit int

	mu      sync.Mutex
	from    *link // the source of these offers
	byID    map[uint32]*offer
	order   []*offer // the oldest first
	waiting map[uint32]*await
}

// await is the shared state of all waits for one ID.
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

// put replaces an earlier offer for the ID and wakes the waits.
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

// peek returns the offer for id, or nil.
func (t *offers) peek(id uint32) *offer {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byID[id]
}

// get waits for an offer other than stale, which may be nil. It returns nil without an error
// when over is closed; a nil over never is. ctx must come from control.bound or end with it.
func (t *offers) get(ctx context.Context, id uint32, stale *offer, over <-chan struct{}) (*offer, error) {
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
	case <-over:
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.waiters--; a.waiters == 0 && t.waiting[id] == a {
		delete(t.waiting, id)
	}
	if ctx.Err() == nil {
		return nil, nil //nolint:nilnil // no offer, and no error
	}
	return nil, context.Cause(ctx)
}

// restart forgets all offers and accepts those of another link. Waits continue.
func (t *offers) restart(from *link) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.from = from
	clear(t.byID)
	t.order = nil
}

// resume takes the offers of another link from now on, beside those that there are.
func (t *offers) resume(from *link) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.from = from
}
