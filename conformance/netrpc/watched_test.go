package netrpc_test

import (
	"bytes"
	"context"
	"sync"
	"testing"
)

// watched is a writer whose content can be waited for.
type watched struct {
	mu      sync.Mutex
	content bytes.Buffer
	changed chan struct{}
}

func newWatched() *watched { return &watched{changed: make(chan struct{})} }

// Write appends data.
func (w *watched) Write(data []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.changed)
	w.changed = make(chan struct{})
	return w.content.Write(data)
}

// String returns the content so far.
func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.content.String()
}

// expect waits until the content is as long as want, and expects that it is
// want.
func (w *watched) expect(ctx context.Context, t *testing.T, name, want string) {
	t.Helper()
	for {
		w.mu.Lock()
		got, changed := w.content.String(), w.changed
		w.mu.Unlock()
		if len(got) >= len(want) {
			if got != want {
				t.Errorf("%s: %d bytes, not the %d bytes expected", name, len(got), len(want))
			}
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Errorf("%s: %d bytes came, expected %d", name, len(got), len(want))
			return
		}
	}
}
