package exchange

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
)

// control is the part that both schemes share: the control stream of
// the moment, and the end of it all.
type control struct {
	ctx    context.Context // ends with Close
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	current *link         // nil while there is none
	changed chan struct{} // closed when there is a new one
}

// handler is what a scheme does with control streams.
type handler interface {
	began(l *link)
	// received is called in the order of the infos' coming, until ended.
	received(ctx context.Context, l *link, info Info)
	ended(l *link)
}

func (c *control) init() {
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	c.changed = make(chan struct{})
}

// bound returns a context that ends with ctx, and with net.ErrClosed for a
// cause when the scheme is closed.
func (c *control) bound(ctx context.Context) (context.Context, func()) {
	within, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.ctx, func() { cancel(net.ErrClosed) })
	return within, func() { stop(); cancel(nil) }
}

// run is Run.
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
		return context.Cause(within) // it is why the stream failed
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

// wait waits for a control stream. ctx is one of bound.
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

// link is a control stream in use. Who sends leaves the info in a queue, and a
// goroutine that lives until the queue is empty calls Send, one at a time: no
// caller depends on the other side's reading.
type link struct {
	stream     Stream
	interrupt  func() // nil if the stream has none
	maxAnswers int    // more unread answers than that end the link
	over       chan struct{}

	mu      sync.Mutex // taken last
	cause   error      // why it is over
	queue   []*outgoing
	answers int // so many of the queue
	sending bool
}

// outgoing is an info to be sent.
type outgoing struct {
	info   Info
	answer bool // to something that the other side asked
	// sent is told once that Send has returned, or will not be called; it may be
	// nil. It is called without the link's lock.
	sent func(error)
}

// push queues an info; false means that the link is over and sent will not be
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

// withdraw takes back what has not been given to Send yet.
func (l *link) withdraw(o *outgoing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.queue, o); i >= 0 {
		l.queue = slices.Delete(l.queue, i, i+1)
	}
}

// flush sends what is queued until there is no more.
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
		// Streams may say at a Send only that they have ended, and at a Recv why.
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

// reason says why the link is over, nil while it is not.
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

// sendError is the end of a link that a Send found.
type sendError struct{ err error }

func (e *sendError) Error() string { return e.err.Error() }
func (e *sendError) Unwrap() error { return e.err }

// unexpected is for an end that came while there was something to send.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
