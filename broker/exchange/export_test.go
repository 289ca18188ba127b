package exchange

// NoListener is the refusal after which a dialer knocks again.
const NoListener = noListener

// Knocks counts the unanswered knocks.
func (m *Multiplexed) Knocks() int {
	m.dials.mu.Lock()
	defer m.dials.mu.Unlock()
	return len(m.dials.sent)
}

// Entries counts all entries that the broker holds for the other side or for
// waiting dials.
func (m *Multiplexed) Entries() int {
	m.dials.mu.Lock()
	defer m.dials.mu.Unlock()
	m.accepts.mu.Lock()
	defer m.accepts.mu.Unlock()
	d, a := &m.dials, &m.accepts
	return len(d.targets) + len(d.mains) + len(d.queue) + len(d.sent) + len(d.opens) + len(a.expected) + len(a.pending)
}

// Entries counts the offers and the waits for them.
func (p *Plain) Entries() int {
	p.offers.mu.Lock()
	defer p.offers.mu.Unlock()
	return len(p.offers.byID) + len(p.offers.waiting)
}

// The defaults of a broker.Config.
const (
	DefaultMaxUnclaimed     = defaultMaxUnclaimed
	DefaultPatience         = defaultPatience
	DefaultUnclaimedTimeout = defaultUnclaimedTimeout
	DefaultRenewal          = defaultRenewal
)
