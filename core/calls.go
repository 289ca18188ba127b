package core

import (
	"context"
	"sync"
)

// Calls counts a plugin's calls in flight, which finish before its shutdown
// functions run. It is safe for use by many goroutines. On nil, as in a host,
// Begin returns true and End does nothing.
type Calls struct {
	ctx context.Context
	cut context.CancelFunc

	mu    sync.Mutex
	count int
	over  bool          // no more calls begin
	idle  chan struct{} // closed when count gets to 0; nil while nobody waits
}

// NewCalls returns a Calls without a call in flight.
func NewCalls() *Calls {
	c := new(Calls)
	c.ctx, c.cut = context.WithCancel(context.Background())
	return c
}

// Begin counts a call until End. It returns false if the plugin is leaving and no
// longer waits for calls: then the transport answers with an error instead, and
// does not call End.
func (c *Calls) Begin() bool {
	if c == nil {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return false
	}
	c.count++
	return true
}

// End ends a call counted by Begin. The method has returned by then.
func (c *Calls) End() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count--
	if c.count == 0 && c.idle != nil {
		c.over = true
		close(c.idle)
		c.idle = nil
	}
}

// Context ends when the calls in flight are cut off. The contexts of all calls
// end with it.
func (c *Calls) Context() context.Context { return c.ctx }

// Drain returns when no call is in flight, and from then on none begins. Until
// then calls may begin, since calls in flight may need them. When ctx ends before,
// Drain returns its cause.
func (c *Calls) Drain(ctx context.Context) error {
	c.mu.Lock()
	if c.count == 0 {
		c.over = true
		c.mu.Unlock()
		return nil
	}
	if c.idle == nil {
		c.idle = make(chan struct{})
	}
	idle := c.idle
	c.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Cut ends Context. No call begins any more.
func (c *Calls) Cut() {
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	c.cut()
}
