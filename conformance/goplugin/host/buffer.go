package main

import (
	"bytes"
	"context"
	"fmt"
	"sync"
)

// watchedBuffer is a writer whose content can be waited for.
type watchedBuffer struct {
	mu      sync.Mutex
	content bytes.Buffer
	changed chan struct{}
}

func newWatchedBuffer() *watchedBuffer {
	return &watchedBuffer{changed: make(chan struct{})}
}

// Write appends data.
func (b *watchedBuffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.changed)
	b.changed = make(chan struct{})
	return b.content.Write(data)
}

// String returns the content so far.
func (b *watchedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.content.String()
}

// waitFor returns once the content is as long as want, and says whether it is
// want.
func (b *watchedBuffer) waitFor(ctx context.Context, name, want string) error {
	for {
		b.mu.Lock()
		got, changed := b.content.String(), b.changed
		b.mu.Unlock()
		if len(got) >= len(want) {
			return expect(name, got, want)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%s: got %q, expected %q: %w", name, got, want, context.Cause(ctx))
		}
	}
}
