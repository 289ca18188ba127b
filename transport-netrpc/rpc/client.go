// Package rpc speaks the wire of the standard library's net/rpc: gob messages over
// one connection, a header and a body each. It links neither net/rpc nor net/http,
// and either side may be that package.
//
// A [Client] calls the methods of the other side's objects, with a context on each
// call. [NewService] makes a [Service] of an object, and [Serve] answers its calls; a
// method may take a context. Both limit the size of incoming messages.
//
// Package transportnetrpc uses it. Programs need it only for connections of their
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

// DefaultMaxMessageSize is the default limit of a message, in bytes: 1 GiB. The
// messages of hashicorp/go-plugin's side are limited by gob alone, at eight times as
// much on most machines.
const DefaultMaxMessageSize = 1 << 30

// Client calls the methods of one object at the other side, on the wire of the
// standard library's net/rpc. It is safe for use by many goroutines; their calls run
// in parallel.
type Client struct {
	conn net.Conn
	cfg  ClientConfig

	writing chan struct{} // held while writing
	writer  *messageWriter

	mu      sync.Mutex
	started bool
	ended   error // the reason; nil while calls can be made
	seq     uint64
	pending map[uint64]*call
	reader  sync.WaitGroup
}

// call is a call waiting for its answer.
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
	// Explain adds a known reason to the error of a call after a lost connection. nil
	// adds nothing.
	Explain func(ctx context.Context, err error) error
	// Closed is called when the client has ended, maybe more than once. It may be nil.
	Closed func()
}

// NewClient returns a client over conn, and takes conn over. The other side may be
// [Serve] or net/rpc.
//
// Abandoning a call in the middle of its message needs a write deadline. A TLS
// connection cannot be written to after its deadline, so such a call ends it.
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

// Call invokes the method with args and stores its answer in reply, a pointer; a nil
// reply drops the answer. A method without a dot belongs to the service
// [DefaultService]. The answer replaces the value behind reply; net/rpc merges it.
//
// When ctx ends first, Call returns its error and leaves reply unchanged. The method
// runs to its end unnoticed, for net/rpc has no message to stop it; further calls
// work. Encoding args is not interrupted, and the encoded rest is sent before the next
// call.
//
// An error returned by the method is a [RemoteError]. A broken connection is
// [core.ErrConnectionLost], joined with a [core.ExitError] if the plugin's end was the
// cause. An answer above the limit ends the connection, and joins a
// [MessageSizeError]. After Close the error is [core.ErrClosed].
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

// replyElem returns the type behind the pointer reply.
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

// past is an expired deadline at any time.
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

// failure names the call in its error, and adds the known reason.
func (c *Client) failure(ctx context.Context, method string, err error) error {
	var tooLarge *MessageSizeError
	if errors.Is(err, core.ErrConnectionLost) && !errors.As(err, &tooLarge) { // otherwise this side has ended it
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
// leave meanwhile. An error means an unusable connection.
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
			err = core.WithHint(fmt.Errorf("the answer of %s has no body: probably gob could not encode it (%w)", clip(header.ServiceMethod), err),
				"net/rpc, as in go-plugin, ends the connection if gob cannot encode an answer; the plugin's stderr names the type")
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

// end fails all calls, waiting and later, and returns their error: the first end
// counts.
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
// called again. It leaves a hijacked connection alone.
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

// Hijack hands the connection over to the caller, for a client of the standard
// library's net/rpc (its NewClient) or for another protocol of the other side's. It
// returns [ErrInUse] after the first call. The Client's calls fail with [ErrHijacked]
// afterwards.
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
