package exchange

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
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

// link is a control stream in use. Senders leave their infos in a queue. A
// goroutine, which lives until the queue is empty, calls Send for one at a
// time. No caller thus depends on the other side's reading.
type link struct {
	stream     Stream
	interrupt  func() // nil if the stream has none
	maxAnswers int    // the limit of unread answers; beyond it the link ends
	over       chan struct{}

	mu      sync.Mutex // taken last
	cause   error      // the reason of the end
	queue   []*outgoing
	answers int // the number of answers in queue
	sending bool
}

// outgoing is an info to send.
type outgoing struct {
	info   Info
	answer bool // an answer to the other side's request
	// sent is called, without the link's lock, after Send has returned or is
	// ruled out. It may be nil.
	sent func(error)
}

// push queues an info. It returns false if the link has ended; sent is then not
// called.
func (l *link) push(o *outgoing) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cause != nil {
		return false
	}
	l.queue = append(l.queue, o)
	if o.answer {
		l.answers++
	}
	if !l.sending {
		l.sending = true
		go l.flush()
	}
	return true
}

// withdraw removes an info not yet passed to Send.
func (l *link) withdraw(o *outgoing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.queue, o); i >= 0 {
		l.queue = slices.Delete(l.queue, i, i+1)
	}
}

// flush sends the queue until it is empty.
func (l *link) flush() {
	for {
		l.mu.Lock()
		if len(l.queue) == 0 {
			l.sending, l.queue = false, nil
			l.mu.Unlock()
			return
		}
		o := l.queue[0]
		l.queue[0] = nil
		l.queue = l.queue[1:]
		if o.answer {
			l.answers--
		}
		l.mu.Unlock()
		err := l.stream.Send(o.info)
		if o.sent != nil {
			o.sent(err)
		}
		if err != nil {
			l.end(&sendError{err})
		}
	}
}

// recv waits for the next info.
func (l *link) recv() (Info, error) {
	info, err := l.stream.Recv()
	l.mu.Lock()
	defer l.mu.Unlock()
	var failed *sendError
	switch {
	case errors.As(l.cause, &failed) && err != nil:
		// Some streams report only the fact of the end in Send, and its reason in Recv.
		l.cause = unexpected(err)
		return Info{}, l.cause
	case l.cause != nil:
		return Info{}, l.cause
	case err != nil:
		return Info{}, err
	case l.answers > l.maxAnswers:
		return Info{}, ErrUnread
	}
	return info, nil
}

// end ends the link. The first cause counts.
func (l *link) end(cause error) {
	l.mu.Lock()
	if l.cause != nil {
		l.mu.Unlock()
		return
	}
	l.cause = cause
	dropped := l.queue
	l.queue = nil
	l.mu.Unlock()
	close(l.over)
	if l.interrupt != nil {
		l.interrupt()
	}
	for _, o := range dropped {
		if o.sent != nil {
			o.sent(cause)
		}
	}
}

// reason returns the cause of the link's end, or nil before it.
func (l *link) reason() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var failed *sendError
	if errors.As(l.cause, &failed) {
		return unexpected(failed.err)
	}
	return l.cause
}

func (l *link) isOver() bool { return l.reason() != nil }

// sendError is the end of a link found by Send.
type sendError struct{ err error }

func (e *sendError) Error() string { return e.err.Error() }
func (e *sendError) Unwrap() error { return e.err }

// unexpected converts an end that came with data left to send.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
