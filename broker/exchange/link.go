package exchange

import (
	"errors"
	"io"
	"slices"
	"sync"
)

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
