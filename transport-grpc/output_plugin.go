package transportgrpc

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/jackfield-go/jackfield/proto/pluginpb"
)

// outputChunk is how much of what the plugin prints goes into one message, in
// bytes, at most.
const outputChunk = 32 << 10

// output sends what the plugin prints to whichever host has asked for it.
type output struct {
	stdout, stderr io.Reader
	printed        chan *pluginpb.StdioData
	ended          chan struct{}       // closed when everything printed has been taken
	sending        chan struct{}       // a token for the host that is being sent to
	left           *pluginpb.StdioData // with the token: what the host before was lost with
	sent           chan struct{}       // closed when everything has been sent
	sentOnce       sync.Once

	mu      sync.Mutex
	hosts   int           // that have asked
	changed chan struct{} // closed when hosts gets to 0
}

func newOutput(stdout, stderr io.Reader) *output {
	return &output{
		stdout:  stdout,
		stderr:  stderr,
		printed: make(chan *pluginpb.StdioData),
		ended:   make(chan struct{}),
		sending: make(chan struct{}, 1),
		sent:    make(chan struct{}),
		changed: make(chan struct{}),
	}
}

// start starts the pumps, which end with ctx or at the ends of the outputs.
func (o *output) start(ctx context.Context, running *sync.WaitGroup) {
	var pumps sync.WaitGroup
	pumps.Go(func() { o.pump(ctx, pluginpb.StdioData_STDOUT, o.stdout) })
	pumps.Go(func() { o.pump(ctx, pluginpb.StdioData_STDERR, o.stderr) })
	running.Go(func() {
		pumps.Wait()
		close(o.ended)
	})
}

func (o *output) pump(ctx context.Context, channel pluginpb.StdioData_Channel, from io.Reader) {
	buffer := make([]byte, outputChunk)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			// gRPC lets others keep a message after it was sent.
			data := &pluginpb.StdioData{Channel: channel, Data: bytes.Clone(buffer[:n])}
			select {
			case o.printed <- data:
			case <-ctx.Done():
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// send sends to one host, until everything has been sent (then it returns nil)
// or ctx ends. Of several hosts one is served at a time.
func (o *output) send(ctx context.Context, send func(*pluginpb.StdioData) error) error {
	o.attach()
	defer o.detach()
	select {
	case o.sending <- struct{}{}:
		defer func() { <-o.sending }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for {
		data, err := o.next(ctx)
		if err != nil {
			return err
		}
		if data == nil {
			o.sentOnce.Do(func() { close(o.sent) })
			return nil
		}
		if err := send(data); err != nil {
			o.left = data
			return err
		}
	}
}

// next returns what is to be sent next, nil at the end. It is called with the
// token.
func (o *output) next(ctx context.Context) (*pluginpb.StdioData, error) {
	if data := o.left; data != nil {
		o.left = nil
		return data, nil
	}
	select {
	case data := <-o.printed:
		return data, nil
	case <-o.ended:
		return nil, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (o *output) attach() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hosts++
}

func (o *output) detach() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.hosts--; o.hosts == 0 {
		close(o.changed)
		o.changed = make(chan struct{})
	}
}

// finish waits until everything has been sent, unless there is no host to send
// to.
func (o *output) finish(ctx context.Context) error {
	o.mu.Lock()
	hosts, changed := o.hosts, o.changed
	o.mu.Unlock()
	if hosts == 0 {
		return nil
	}
	select {
	case <-o.sent:
		return nil
	case <-changed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("send what the plugin printed: %w", context.Cause(ctx))
	}
}
