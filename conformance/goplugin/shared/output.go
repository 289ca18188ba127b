package shared

import (
	"bytes"
	"context"
	"fmt"
	"sync"
)

// Output is a writer with ways to wait for its content. Make one with [NewOutput].
type Output struct {
	mu      sync.Mutex
	content bytes.Buffer
	changed chan struct{}
}

// NewOutput returns an empty Output.
func NewOutput() *Output { return &Output{changed: make(chan struct{})} }

// Write appends data.
func (o *Output) Write(data []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.changed)
	o.changed = make(chan struct{})
	return o.content.Write(data)
}

// String returns the content so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.content.String()
}

// WaitUntil returns when enough accepts the content, or with the context's error.
func (o *Output) WaitUntil(ctx context.Context, enough func(content string) bool) error {
	for {
		o.mu.Lock()
		content, changed := o.content.String(), o.changed
		o.mu.Unlock()
		if enough(content) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// WaitFor waits until the content is as long as want, and compares the two.
func (o *Output) WaitFor(ctx context.Context, name, want string) error {
	for {
		o.mu.Lock()
		length, changed := o.content.Len(), o.changed
		o.mu.Unlock()
		if length >= len(want) {
			if o.String() != want {
				return fmt.Errorf("%s: %d bytes arrived, expected %d", name, length, len(want))
			}
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%s: %d bytes came, expected %d: %w", name, length, len(want), context.Cause(ctx))
		}
	}
}
