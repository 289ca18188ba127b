package broker

// Waiting counts the Accepts waiting for id.
func (b *Prefixed) Waiting(id uint32) int {
	b.table.mu.Lock()
	defer b.table.mu.Unlock()
	return len(b.table.waiters[id])
}

// Unclaimed counts the connections waiting for Accept.
func (b *Prefixed) Unclaimed() int {
	b.table.mu.Lock()
	defer b.table.mu.Unlock()
	return len(b.table.order)
}

// Entries counts all entries of the broker's table.
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
