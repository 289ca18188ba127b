// Package yamux carries many streams over one connection, on the wire format
// of hashicorp/yamux (protocol §4 and §5 use it for net/rpc and for
// multiplexed gRPC). Either end of a connection may be that library.
//
// Beyond that library's API a stream can be asked whether the peer has accepted
// it, which the order of a multiplexed broker depends on; it can be reset, so that
// truncated data does not look complete; every wait takes a context; and readers
// are woken once when the session ends.
//
// One side of the connection calls [Client], the other [Server]; after that
// the two are equal: each may [Session.Open] streams and [Session.Accept]
// the peer's. A [Stream] is a [net.Conn] that can also be half closed
// ([Stream.CloseWrite]), aborted ([Stream.Reset]), and asked whether the peer
// has accepted it ([Stream.Acknowledged]).
//
// # How it works
//
// A session has one goroutine, which receives. Whoever writes to a stream
// writes to the connection itself, header and payload in one system call; when
// two write at once, the second leaves its frame in a bounded queue, and a
// goroutine that lives until the queue is empty takes it from there. The
// receiving goroutine never waits for a write: what it has to answer goes into
// the same queue. Idle streams have neither goroutines nor timers, and buffers
// go back to a pool once they are read.
//
// # How a session ends
//
// [Session.Err] says why: [ErrSessionClosed] after Close here, [io.EOF] when
// the peer closed the connection between two frames, [io.ErrUnexpectedEOF]
// inside one, a [*ProtocolError] when the peer broke the protocol, a
// [*GoAwayError] when it says that we did, or the connection's own error.
// Whatever was waiting returns at once with an error that is
// [ErrSessionClosed] to errors.Is and unwraps to the reason. A stream's reader
// first gets what had arrived, and then [io.EOF] if the peer had ended the
// stream, so that a truncated stream never looks complete.
package yamux

import (
	"context"
	"errors"
	"math"
	"net"
	"sync"
	"time"
)

// Session is one end of a connection that carries streams. Its methods may be
// called by many goroutines. Make one with Client or Server.
type Session struct {
	conn   net.Conn
	config Config
	parity uint32 // of our streams' identifiers: 1 for the client
	out    sender

	done     chan struct{}  // closed when the session is over
	goneAway chan struct{}  // closed when the peer takes no new streams
	accepts  chan *Stream   // the peer's streams, in the order they came
	slots    chan struct{}  // held by our streams that are not acknowledged yet
	tasks    sync.WaitGroup // the receiver, the flusher, the keep-alive ping
	closing  sync.Once

	mu        sync.Mutex // taken before a stream's, and before the sender's
	streams   map[uint32]*Stream
	nextID    uint32
	err       error // why the session is over
	writeErr  error // why nothing can be sent any more
	away      bool  // goneAway is closed
	pings     map[uint32]chan struct{}
	nextPing  uint32
	keepAlive *time.Timer
}

// Client starts the session of the side that made the connection. The session
// owns conn from then on. Errors wrap ErrConfig; conn is then untouched.
func Client(conn net.Conn, cfg Config) (*Session, error) { return start(conn, cfg, 1) }

// Server starts the session of the side that took the connection. The session
// owns conn from then on. Errors wrap ErrConfig; conn is then untouched.
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
// [Stream.Acknowledged]); data can be written at once. It does wait, until ctx
// is done, while as many streams as Config.Backlog are not acknowledged yet.
// The errors are ctx's, ErrGoAway, ErrStreamsExhausted and ErrSessionClosed.
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

// open registers a stream and queues its first frame; under one lock, so that
// the peer sees streams in the order of their identifiers.
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

// Accept waits for a stream of the peer's and acknowledges it. Streams come in
// the order in which the peer opened them, those that it has given up since
// included. A peer may insist on the acknowledgement: hashicorp/yamux ends the
// session when it takes more than 75 s. After the peer has ended the session,
// the streams that were waiting are still returned, to read what they carried.
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

// Close tells the peer, sends what is queued (bounded by Config.Linger),
// closes the connection, wakes everyone, and waits for the session's own
// goroutines. Its streams are then of no more use. It returns nil, also when
// the session was over before; Err says why it ended.
func (s *Session) Close() error {
	s.closing.Do(func() {
		if s.end(ErrSessionClosed, &frame{kind: typeGoAway, length: goAwayNormal}) {
			s.out.drain(s.config.Linger)
		}
		// A failing close has nothing to tell: nobody uses the connection.
		_ = s.conn.Close()
	})
	s.tasks.Wait()
	return nil
}

// Done is closed when the session is over, by Close or by the peer.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err says why the session is over, nil while it is not: ErrSessionClosed
// after Close, io.EOF when the peer closed the connection, and so on; see the
// package comment.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// NumStreams counts the streams that are open, those that wait for Accept and
// those that wait for the peer to close its side included.
func (s *Session) NumStreams() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.streams)
}

// endError is the error of operations after the end.
func (s *Session) endError() error { return operationError(s.Err()) }

// end marks the session as over, with a last frame for the peer, if any, and wakes
// everyone; true the first time. What they do then tells the peer nothing more: it
// is the session that has ended, not each stream.
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

// writeFailed is told when the connection takes no more. What the peer sent
// before it went away is still to be received, up to its end or for Linger.
func (s *Session) writeFailed(err error) {
	s.mu.Lock()
	s.writeErr = err
	s.mu.Unlock()
	if s.config.Linger < 0 || s.conn.SetReadDeadline(time.Now().Add(s.config.Linger)) != nil {
		_ = s.conn.Close()
	}
}

// lookup returns the stream of that identifier, nil if there is none.
func (s *Session) lookup(id uint32) *Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.streams[id]
}

// forget removes a stream that neither side uses any more.
func (s *Session) forget(st *Stream) {
	s.mu.Lock()
	delete(s.streams, st.id)
	s.mu.Unlock()
	st.settle()
}
