package broker

// Waiting counts the Accepts that wait for id.
func (b *Prefixed) Waiting(id uint32) int {
	b.table.mu.Lock()
	defer b.table.mu.Unlock()
	return len(b.table.waiters[id])
}

// Unclaimed counts the connections that wait to be accepted.
func (b *Prefixed) Unclaimed() int {
	b.table.mu.Lock()
	defer b.table.mu.Unlock()
	return len(b.table.order)
}

// Entries counts everything that the broker's table holds.
func (b *Prefixed) Entries() int {
	b.table.mu.Lock()
	defer b.table.mu.Unlock()
	return len(b.table.waiters) + len(b.table.arrivals) + len(b.table.order)
}

// The defaults of a Config.
const (
	DefaultUnclaimedTimeout = defaultUnclaimedTimeout
	DefaultPrefixTimeout    = defaultPrefixTimeout
	DefaultMaxUnclaimed     = defaultMaxUnclaimed
)
