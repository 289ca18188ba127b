package exchange

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
)

// control is the part shared by both schemes: the current control stream and
// the end.
type control struct {
	ctx    context.Context // ends with Close
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	current *link         // nil without a control stream
	changed chan struct{} // closed when a new one begins
}

// handler is a scheme's reaction to control streams.
type handler interface {
	began(l *link)
	// received is called in the order of arrival, until ended.
	received(ctx context.Context, l *link, info Info)
	ended(l *link)
}

func (c *control) init() {
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	c.changed = make(chan struct{})
}

// bound returns a context that ends with ctx. After the scheme's Close, its
// cause is net.ErrClosed.
func (c *control) bound(ctx context.Context) (context.Context, func()) {
	within, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.ctx, func() { cancel(net.ErrClosed) })
	return within, func() { stop(); cancel(nil) }
}

// run implements Run.
func (c *control) run(ctx context.Context, s Stream, h handler, maxAnswers int) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	within, stop := c.bound(ctx)
	defer stop()
	l := &link{stream: s, over: make(chan struct{}), maxAnswers: maxAnswers}
	receive := func() {
		for {
			info, err := l.recv()
			if err != nil {
				l.end(err)
				return
			}
			h.received(within, l, info)
		}
	}
	interrupter, interruptible := s.(Interrupter)
	if interruptible {
		l.interrupt = interrupter.Interrupt
	}
	if !c.begin(l, h) {
		return net.ErrClosed
	}
	defer c.finish(l, h)
	defer context.AfterFunc(within, func() { l.end(context.Cause(within)) })()
	if interruptible {
		receive()
	} else {
		go receive()
		<-l.over
	}
	err := l.reason()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case within.Err() != nil && !errors.Is(err, ErrReplaced):
		return context.Cause(within) // it caused the stream's failure
	default:
		return err
	}
}

func (c *control) begin(l *link, h handler) bool {
	c.mu.Lock()
	if c.ctx.Err() != nil {
		c.mu.Unlock()
		return false
	}
	before := c.current
	c.current = l
	h.began(l)
	close(c.changed)
	c.changed = make(chan struct{})
	c.mu.Unlock()
	if before != nil {
		before.end(ErrReplaced)
	}
	return true
}

func (c *control) finish(l *link, h handler) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current == l {
		c.current = nil
	}
	h.ended(l)
}

// wait waits for a control stream. ctx must come from bound.
func (c *control) wait(ctx context.Context) (*link, error) {
	for {
		c.mu.Lock()
		l, changed := c.current, c.changed
		c.mu.Unlock()
		if l != nil && !l.isOver() {
			return l, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
