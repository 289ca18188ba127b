package yamux

import (
	"context"
	"errors"
	"time"
)

// Ping sends a ping and returns the time until the peer's answer. It returns
// ctx's error or the session's (ErrSessionClosed in errors.Is).
func (s *Session) Ping(ctx context.Context) (time.Duration, error) {
	answered := make(chan struct{})
	s.mu.Lock()
	if s.err != nil || s.writeErr != nil {
		err := s.err
		if err == nil {
			err = s.writeErr
		}
		s.mu.Unlock()
		return 0, operationError(err)
	}
	if s.pings == nil {
		s.pings = make(map[uint32]chan struct{})
	}
	id := s.nextPing
	s.nextPing++
	s.pings[id] = answered
	s.mu.Unlock()

	started := time.Now()
	s.out.control(frame{kind: typePing, flags: flagSYN, length: id})
	select {
	case <-answered:
		return time.Since(started), nil
	case <-s.done:
		return 0, s.endError()
	case <-ctx.Done():
		s.mu.Lock()
		delete(s.pings, id)
		s.mu.Unlock()
		return 0, ctx.Err()
	}
}

// handlePing answers a ping, or records the answer to a ping of this side. It
// ignores late answers.
func (s *Session) handlePing(f frame) error {
	if f.has(flagSYN) {
		if !s.out.answer(frame{kind: typePing, flags: flagACK, length: f.length}) {
			return errUnread(0)
		}
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if answered, ok := s.pings[f.length]; ok {
		delete(s.pings, f.length)
		close(answered)
	}
	return nil
}

// startKeepAlive starts the timer of the first ping.
func (s *Session) startKeepAlive() {
	if s.config.KeepAlive == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.keepAlive = time.AfterFunc(s.config.KeepAlive, s.checkPeer)
	}
}

// lastChance limits the ping that follows an unanswered one.
const lastChance = time.Second

func (s *Session) pingWithin(limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	_, err := s.Ping(ctx)
	return err
}

// checkPeer runs when the timer fires: it pings the peer and restarts the timer.
func (s *Session) checkPeer() {
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return
	}
	s.tasks.Add(1)
	s.mu.Unlock()
	defer s.tasks.Done()

	err := s.pingWithin(s.config.KeepAliveTimeout)
	if errors.Is(err, context.DeadlineExceeded) {
		// A process that was stopped meets its own timeout first when it goes on.
		// The peer's answer may have come long before.
		err = s.pingWithin(min(s.config.KeepAliveTimeout, lastChance))
	}
	if errors.Is(err, context.DeadlineExceeded) {
		s.abort(ErrKeepAliveTimeout)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.keepAlive.Reset(s.config.KeepAlive)
	}
}
