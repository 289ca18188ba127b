// Package rpc speaks the wire of the standard library's net/rpc: gob messages over
// one connection, a header and a body each. It links neither net/rpc nor net/http,
// and either side may be that package.
//
// A [Client] calls the methods of the other side's objects, with a context on each
// call. [Serve] answers calls of a [Service], which [NewService] makes of an object;
// a method may take a context. Both bound the size of the messages that they take.
//
// transportnetrpc is built on it. Programs need it only for connections of their
// own.
package rpc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/jackfield-go/jackfield/core"
)

// DefaultMaxMessageSize is how large a message may be, in bytes, unless a
// configuration says otherwise: 1 GiB. What hashicorp/go-plugin's side sends is
// bounded by gob alone, at eight times as much on most machines.
const DefaultMaxMessageSize = 1 << 30

// Client calls the methods of one object at the other side, on the wire of the
// standard library's net/rpc. It is safe for use by many goroutines, whose
// calls run at the same time.
type Client struct {
	conn net.Conn
	cfg  ClientConfig

	writing chan struct{} // held by who writes
	writer  *messageWriter

	mu      sync.Mutex
	started bool
	ended   error // why no more calls can be made
	seq     uint64
	pending map[uint64]*call
	reader  sync.WaitGroup
}

// call is one that waits for its answer.
type call struct {
	replyType reflect.Type // nil: the answer's body is not wanted
	done      chan answer
}

type answer struct {
	reply reflect.Value
	err   error
}

// ClientConfig sets a client up. The zero value is ready for use.
type ClientConfig struct {
	// MaxMessageSize bounds an answer, in bytes of gob. Below 1, it is
	// [DefaultMaxMessageSize].
	MaxMessageSize int
	// Explain adds the reason to the error of a call whose connection was lost, if
	// it knows one. nil adds nothing.
	Explain func(ctx context.Context, err error) error
	// Closed is called when the client is of no more use, maybe more than once. It
	// may be nil.
	Closed func()
}

// NewClient returns a client that calls over conn, which is the client's from
// then on. The other side may be [Serve] or net/rpc. A connection that cannot be
// written to after a write deadline has passed, as one under TLS cannot, does not
// survive a call that is abandoned while it is being written.
func NewClient(conn net.Conn, cfg ClientConfig) *Client {
	if cfg.MaxMessageSize < 1 {
		cfg.MaxMessageSize = DefaultMaxMessageSize
	}
	if cfg.Explain == nil {
		cfg.Explain = func(_ context.Context, err error) error { return err }
	}
	if cfg.Closed == nil {
		cfg.Closed = func() {}
	}
	return &Client{
		conn:    conn,
		cfg:     cfg,
		writing: make(chan struct{}, 1),
		writer:  newMessageWriter(conn),
		pending: make(map[uint64]*call),
	}
}

// Call invokes the method with args and stores what it answers in reply, a
// pointer; a nil reply drops the answer. A method without a dot is one of the
// service [DefaultService].
//
// The answer replaces the whole of what reply points to; net/rpc merges it. When
// ctx ends first, Call returns its error, reply is left as it was,
// and the method runs to its end unnoticed, for net/rpc has no message that
// would stop it; further calls work. Encoding args is not interrupted, and what
// has been encoded is sent before the next call. An error that the method returned is a
// [RemoteError]. A broken connection is [core.ErrConnectionLost], joined with
// a [core.ExitError] where a plugin's end was the cause, or with a
// [MessageSizeError] where an answer was too large, which ends the connection;
// after Close it is [core.ErrClosed].
func (c *Client) Call(ctx context.Context, method string, args, reply any) error {
	if !strings.Contains(method, ".") {
		method = DefaultService + "." + method
	}
	replyType, err := replyElem(reply)
	if err != nil {
		return fmt.Errorf("call %s: %w", method, err)
	}
	if err := c.start(); err != nil {
		return c.failure(ctx, method, err)
	}
	waiting := &call{replyType: replyType, done: make(chan answer, 1)}
	seq, err := c.send(ctx, method, args, waiting)
	if err != nil {
		return c.failure(ctx, method, err)
	}
	select {
	case got := <-waiting.done:
		if got.err != nil {
			return c.failure(ctx, method, got.err)
		}
		if replyType != nil {
			reflect.ValueOf(reply).Elem().Set(got.reply.Elem())
		}
		return nil
	case <-ctx.Done():
		c.forget(seq)
		return fmt.Errorf("call %s: %w", method, context.Cause(ctx))
	}
}

// replyElem returns the type that reply points to.
func replyElem(reply any) (reflect.Type, error) {
	if reply == nil {
		return nil, nil
	}
	v := reflect.ValueOf(reply)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return nil, fmt.Errorf("the reply must be a pointer to where the answer goes, not a %T", reply)
	}
	return v.Type().Elem(), nil
}

// start begins to read answers, at the first call.
func (c *Client) start() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		return c.ended
	}
	if !c.started {
		c.started = true
		c.reader.Go(c.readAnswers)
	}
	return nil
}

// send registers the call and writes it. It returns early when ctx ends.
func (c *Client) send(ctx context.Context, method string, args any, waiting *call) (uint64, error) {
	select {
	case c.writing <- struct{}{}:
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	defer func() { <-c.writing }()
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}

	seq, err := c.register(waiting)
	if err != nil {
		return 0, err
	}
	err = c.write(ctx, &request{ServiceMethod: method, Seq: seq}, args)
	if err == nil {
		return seq, nil
	}
	c.forget(seq)
	var bad encodeError
	if ctx.Err() == nil && !errors.As(err, &bad) {
		return 0, c.end(fmt.Errorf("%w: %w", core.ErrConnectionLost, err))
	}
	return 0, err
}

func (c *Client) write(ctx context.Context, header *request, args any) error {
	if ctx.Done() == nil {
		return c.writer.write(header, args)
	}
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = c.conn.SetWriteDeadline(past)
		close(interrupted)
	})
	err := c.writer.write(header, args)
	if !stop() {
		<-interrupted
		_ = c.conn.SetWriteDeadline(time.Time{})
		return context.Cause(ctx)
	}
	return err
}

// past is a deadline that has always expired.
var past = time.Unix(1, 0)

func (c *Client) register(waiting *call) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		return 0, c.ended
	}
	c.seq++
	c.pending[c.seq] = waiting
	return c.seq, nil
}

// forget drops a call. It returns the call, or nil if it was dropped before.
func (c *Client) forget(seq uint64) *call {
	c.mu.Lock()
	defer c.mu.Unlock()
	waiting := c.pending[seq]
	delete(c.pending, seq)
	return waiting
}

// failure says which call failed, and what is known of the reason.
func (c *Client) failure(ctx context.Context, method string, err error) error {
	var tooLarge *MessageSizeError
	if errors.Is(err, core.ErrConnectionLost) && !errors.As(err, &tooLarge) { // which this side has ended
		err = c.cfg.Explain(ctx, err)
	}
	return fmt.Errorf("call %s: %w", method, err)
}

// readAnswers gives each answer to its call, until the connection ends.
func (c *Client) readAnswers() {
	messages := newMessageReader(c.conn, c.cfg.MaxMessageSize)
	for {
		var header response
		if err := messages.header(&header); err != nil {
			_ = c.end(fmt.Errorf("%w: %w", core.ErrConnectionLost, err))
			return
		}
		if err := c.readAnswer(messages, header); err != nil {
			_ = c.end(fmt.Errorf("%w: %w", core.ErrConnectionLost, err))
			return
		}
	}
}

// readAnswer reads the body. It decodes into a value of its own: the caller may
// leave meanwhile. It returns an error if the connection cannot be used further.
func (c *Client) readAnswer(messages *messageReader, header response) error {
	c.mu.Lock()
	waiting := c.pending[header.Seq]
	c.mu.Unlock()

	var got answer
	var err error
	if waiting == nil || header.Error != "" || waiting.replyType == nil {
		_, err = messages.body(nil)
		if header.Error != "" {
			got.err = RemoteError(header.Error)
		}
	} else {
		got.reply, err = messages.body(waiting.replyType)
	}
	if err != nil && messages.broken() {
		if messages.source.ended() {
			err = fmt.Errorf("the answer of %s has no body: probably gob could not encode it, upon which the package net/rpc "+
				"ends the connection, and go-plugin with it; the plugin's stderr names the type (%w)", clip(header.ServiceMethod), err)
		}
		return err
	}
	if err != nil && got.err == nil {
		got.err = fmt.Errorf("the answer cannot be decoded: %w", err)
	}
	if waiting := c.forget(header.Seq); waiting != nil {
		waiting.done <- got
	}
	return nil
}

// end fails every call that waits, and all later ones. It returns with what: an
// end that came before counts.
func (c *Client) end(err error) error {
	c.mu.Lock()
	if c.ended == nil {
		c.ended = err
	}
	err = c.ended
	pending := c.pending
	c.pending = nil
	c.mu.Unlock()
	_ = c.conn.Close()
	c.cfg.Closed()
	for _, waiting := range pending {
		waiting.done <- answer{err: err}
	}
	return err
}

// CloseWithError ends the connection; calls in flight and later ones return reason,
// unless the connection has ended before. It does not wait.
func (c *Client) CloseWithError(reason error) { _ = c.end(reason) }

// Close ends the connection; calls in flight return [core.ErrClosed]. It may be
// called again. A connection that was taken over is left alone.
func (c *Client) Close() error {
	c.mu.Lock()
	started := c.started
	if c.ended == nil {
		c.ended = core.ErrClosed
	}
	hijacked := errors.Is(c.ended, ErrHijacked)
	c.mu.Unlock()
	c.cfg.Closed()
	if hijacked {
		return nil
	}
	err := c.conn.Close()
	if !started {
		return err
	}
	c.reader.Wait()
	return nil
}

// Hijack hands the connection over to the caller, who may speak net/rpc on it
// with rpc.NewClient, or anything else that the other side expects. It is
// possible before the first call only; the Client is of no use afterwards.
func (c *Client) Hijack() (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.started {
		return nil, ErrInUse
	}
	if c.ended != nil {
		return nil, c.ended
	}
	c.ended = ErrHijacked
	return c.conn, nil
}
