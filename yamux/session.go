// Package yamux carries many streams over one connection, on the wire format of
// hashicorp/yamux. Either end of a connection may be that library. Protocol §4
// uses it for net/rpc, and protocol §5 for multiplexed gRPC.
//
// It adds to that library's API: a stream reports whether the peer has accepted
// it (a multiplexed broker's order depends on this); a reset keeps truncated
// data from looking complete; every wait takes a context; and readers wake once
// when the session ends.
//
// One side of the connection calls [Client], the other [Server]; after that
// both are equal: each may [Session.Open] streams and [Session.Accept] the
// peer's. A [Stream] is a [net.Conn]. It can also be half closed
// ([Stream.CloseWrite]) or aborted ([Stream.Reset]), and reports whether the
// peer has accepted it ([Stream.Acknowledged]).
//
// # How it works
//
// A session has one goroutine for receiving. A goroutine writing to a stream
// writes to the connection itself, header and payload in one system call. If
// two write at once, the second leaves its frame in a bounded queue. A further
// goroutine, which lives until the queue is empty, sends it. The receiving
// goroutine never waits for a write: its answers go into the same queue. Idle
// streams have neither goroutines nor timers, and buffers return to a pool once
// read.
//
// # How a session ends
//
// [Session.Err] gives the reason:
//   - [ErrSessionClosed] after Close on this side
//   - [io.EOF] if the peer closed the connection between two frames
//   - [io.ErrUnexpectedEOF] if it closed the connection inside a frame
//   - a [*ProtocolError] if the peer violated the protocol
//   - a [*GoAwayError] if the peer reports an error
//   - otherwise the connection's own error
//
// Waiting operations return at once with an error that matches
// [ErrSessionClosed] in errors.Is and unwraps to the reason. A stream's reader
// first gets the received data. [io.EOF] follows only if the peer had ended the
// stream, so a truncated stream never looks complete.
package yamux

import (
	"context"
	"errors"
	"math"
	"net"
	"sync"
	"time"
)

// Session is one end of a connection with many streams. It is safe for
// concurrent use. Create it with Client or Server.
type Session struct {
	conn   net.Conn
	config Config
	parity uint32 // of this side's stream IDs: 1 for the client
	out    sender

	done     chan struct{}  // closed when the session has ended
	goneAway chan struct{}  // closed when the peer accepts no new streams
	accepts  chan *Stream   // the peer's streams, in order of arrival
	slots    chan struct{}  // held by this side's unacknowledged streams
	tasks    sync.WaitGroup // the receiver, the flusher, the keep-alive ping
	closing  sync.Once

	mu        sync.Mutex // taken before a stream's lock, and before the sender's
	streams   map[uint32]*Stream
	nextID    uint32
	err       error // the reason of the session's end
	writeErr  error // the reason why sending stopped
	away      bool  // goneAway is closed
	pings     map[uint32]chan struct{}
	nextPing  uint32
	keepAlive *time.Timer
}

// Client starts the session of the side that dialled the connection. The
// session then owns conn. Errors wrap ErrConfig and leave conn untouched.
func Client(conn net.Conn, cfg Config) (*Session, error) { return start(conn, cfg, 1) }

// Server starts the session of the side that accepted the connection. The
// session then owns conn. Errors wrap ErrConfig and leave conn untouched.
func Server(conn net.Conn, cfg Config) (*Session, error) { return start(conn, cfg, 2) }

func start(conn net.Conn, cfg Config, firstID uint32) (*Session, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Session{
		conn:     conn,
		config:   cfg,
		parity:   firstID % 2,
		done:     make(chan struct{}),
		goneAway: make(chan struct{}),
		accepts:  make(chan *Stream, cfg.Backlog),
		slots:    make(chan struct{}, cfg.Backlog),
		streams:  make(map[uint32]*Stream),
		nextID:   firstID,
	}
	s.out = sender{conn: conn, direct: resumable(conn), flusher: &s.tasks, failed: s.writeFailed}
	s.tasks.Add(1)
	go s.receive()
	s.startKeepAlive()
	return s, nil
}

// Open opens a stream. It does not wait for the peer to accept it (see
// [Stream.Acknowledged]); data can be written at once. With Config.Backlog
// unacknowledged streams it waits until ctx is done. It returns ctx's error,
// ErrGoAway, ErrStreamsExhausted or ErrSessionClosed.
func (s *Session) Open(ctx context.Context) (*Stream, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case s.slots <- struct{}{}:
	default:
		select {
		case s.slots <- struct{}{}:
		case <-s.goneAway:
			return nil, ErrGoAway
		case <-s.done:
			return nil, s.endError()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	st, err := s.open()
	if err != nil {
		<-s.slots
	}
	return st, err
}

// open registers a stream and queues its first frame under one lock, so that
// the peer sees streams in the order of their IDs.
func (s *Session) open() (*Stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.err != nil:
		return nil, operationError(s.err)
	case s.writeErr != nil:
		return nil, operationError(s.writeErr)
	case s.away:
		return nil, ErrGoAway
	case s.nextID > math.MaxUint32-2:
		return nil, ErrStreamsExhausted
	}
	st := newStream(s, s.nextID)
	st.unacknowledged, st.holdsSlot = true, true
	s.nextID += 2
	s.streams[st.id] = st
	s.out.control(frame{kind: typeWindowUpdate, flags: flagSYN, id: st.id, length: st.raiseWindow()})
	return st, nil
}

// Accept waits for a stream of the peer and acknowledges it. It returns streams
// in the order of their opening, including abandoned streams. A peer may insist
// on the acknowledgement: hashicorp/yamux ends the session after 75 s without
// it. After the peer has ended the session, Accept still returns the waiting
// streams with their data.
func (s *Session) Accept(ctx context.Context) (*Stream, error) {
	select {
	case st := <-s.accepts:
		return s.acknowledge(st)
	default:
	}
	select {
	case st := <-s.accepts:
		return s.acknowledge(st)
	case <-s.done:
		return nil, s.endError()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *Session) acknowledge(st *Stream) (*Stream, error) {
	if err := s.Err(); errors.Is(err, ErrSessionClosed) {
		return nil, err
	}
	st.acknowledge()
	return st, nil
}

// Close informs the peer, sends the queue (within Config.Linger), closes the
// connection, wakes all waiters, and waits for the session's own goroutines.
// Its streams are then unusable. It returns nil, even for a session that had
// ended; Err gives the reason of the end.
func (s *Session) Close() error {
	s.closing.Do(func() {
		if s.end(ErrSessionClosed, &frame{kind: typeGoAway, length: goAwayNormal}) {
			s.out.drain(s.config.Linger)
		}
		// The error is useless: nobody uses the connection any more.
		_ = s.conn.Close()
	})
	s.tasks.Wait()
	return nil
}

// Done is closed when the session has ended, by Close or by the peer.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err returns the reason of the session's end, or nil before it:
// ErrSessionClosed after Close, io.EOF after the peer closed the connection,
// and so on. See the package comment.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// NumStreams counts the open streams, including streams waiting for Accept and
// streams waiting for the peer to close its side.
func (s *Session) NumStreams() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.streams)
}

// endError is the error of operations after the end.
func (s *Session) endError() error { return operationError(s.Err()) }

// end marks the session as ended, queues a last frame for the peer if not nil, and wakes all
// waiters. It returns true the first time. The waiters send nothing more: the session has ended,
// not each stream.
func (s *Session) end(reason error, last *frame) bool {
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return false
	}
	s.err = reason
	streams := s.streams
	s.streams, s.pings = nil, nil
	if s.keepAlive != nil {
		s.keepAlive.Stop()
	}
	err := operationError(reason)
	woken := s.out.seal(err, last)
	close(s.done)
	s.mu.Unlock()
	wake(woken)
	for _, st := range streams {
		st.sessionEnded(err)
	}
	return true
}

// abort ends the session at once.
func (s *Session) abort(reason error) {
	s.end(reason, nil)
	s.out.abandon(operationError(reason))
	_ = s.conn.Close()
}

// writeFailed runs when writing to the connection fails. Earlier data of the
// peer is still received, up to its end or for Linger.
func (s *Session) writeFailed(err error) {
	s.mu.Lock()
	s.writeErr = err
	s.mu.Unlock()
	if s.config.Linger < 0 || s.conn.SetReadDeadline(time.Now().Add(s.config.Linger)) != nil {
		_ = s.conn.Close()
	}
}

// lookup returns the stream with this ID, or nil.
func (s *Session) lookup(id uint32) *Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.streams[id]
}

// forget removes a stream that both sides have ended.
func (s *Session) forget(st *Stream) {
	s.mu.Lock()
	delete(s.streams, st.id)
	s.mu.Unlock()
	st.settle()
}
