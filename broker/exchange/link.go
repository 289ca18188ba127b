package exchange

import (
	"errors"
	"io"
	"slices"
	"sync"
)

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
