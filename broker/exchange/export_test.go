package exchange

// NoListener is what makes a dialer knock again.
const NoListener = noListener

// Knocks counts those that were not answered.
func (m *Multiplexed) Knocks() int {
	m.dials.mu.Lock()
	defer m.dials.mu.Unlock()
	return len(m.dials.sent)
}

// Entries counts everything that the broker holds on account of the other side
// or of waiting dials.
func (m *Multiplexed) Entries() int {
	m.dials.mu.Lock()
	defer m.dials.mu.Unlock()
	m.accepts.mu.Lock()
	defer m.accepts.mu.Unlock()
	d, a := &m.dials, &m.accepts
	return len(d.targets) + len(d.mains) + len(d.queue) + len(d.sent) + len(d.opens) + len(a.expected) + len(a.pending)
}

// Entries counts the offers, and who waits for some.
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
