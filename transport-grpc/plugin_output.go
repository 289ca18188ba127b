package transportgrpc

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/jackfield-go/jackfield/proto/pluginpb"
)

// outputChunk is the most output in one message, in bytes.
const outputChunk = 32 << 10

// output sends the plugin's output to the latest host: the end of an earlier host may
// be noticed after the arrival of the next.
type output struct {
	stdout, stderr io.Reader
	printed        chan *pluginpb.StdioData
	ended          chan struct{}       // closed when everything printed has been taken
	sending        chan struct{}       // a token for sending
	left           *pluginpb.StdioData // with the token: not received by the host before
	sent           chan struct{}       // closed when everything has been sent
	sentOnce       sync.Once

	mu      sync.Mutex
	hosts   []*outputHost // in the order of their requests
	changed chan struct{} // closed when hosts changes
}

// outputHost is a host with an open stream of output.
type outputHost struct {
	ctx  context.Context
	send func(*pluginpb.StdioData) error
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

// start starts the pumps. They end with ctx or at the ends of the outputs.
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
			// gRPC lets others keep a message after sending.
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

// send sends to one host, until everything has been sent (then it returns nil) or ctx
// ends. A later host takes over after the message in progress.
func (o *output) send(ctx context.Context, send func(*pluginpb.StdioData) error) error {
	t := &outputHost{ctx, send}
	o.change(func() { o.hosts = append(o.hosts, t) })
	defer o.change(func() { o.hosts = slices.DeleteFunc(o.hosts, func(other *outputHost) bool { return other == t }) })
	for {
		changed, err := o.turn(t)
		if changed == nil {
			return err
		}
		over, err := o.sendTo(t, changed)
		<-o.sending
		if over || err != nil {
			return err
		}
	}
}

// turn waits until t is the last host and has the token. It returns a channel closed at
// the next change of hosts; nil when everything has been sent, or with the error of t's
// context.
func (o *output) turn(t *outputHost) (changed <-chan struct{}, err error) {
	for {
		o.mu.Lock()
		last := o.hosts[len(o.hosts)-1] == t
		changed := o.changed
		o.mu.Unlock()
		token := o.sending
		if !last {
			token = nil
		}
		select {
		case token <- struct{}{}:
			return changed, nil
		case <-changed:
		case <-o.sent:
			return nil, nil
		case <-t.ctx.Done():
			return nil, context.Cause(t.ctx)
		}
	}
}

// sendTo sends until changed is closed. It is called with the token. over is true when
// everything has been sent.
func (o *output) sendTo(t *outputHost, changed <-chan struct{}) (over bool, err error) {
	for {
		data := o.left
		o.left = nil
		if data == nil {
			select {
			case data = <-o.printed:
			case <-o.ended:
				o.sentOnce.Do(func() { close(o.sent) })
				return true, nil
			case <-changed:
				return false, nil
			case <-t.ctx.Done():
				return false, context.Cause(t.ctx)
			}
		}
		if err := t.send(data); err != nil {
			o.left = data
			return false, err
		}
	}
}

func (o *output) change(change func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	change()
	close(o.changed)
	o.changed = make(chan struct{})
}

// finish waits until everything has been sent, unless there is no host to send
// to.
func (o *output) finish(ctx context.Context) error {
	for {
		o.mu.Lock()
		hosts, changed := len(o.hosts), o.changed
		o.mu.Unlock()
		if hosts == 0 {
			return nil
		}
		select {
		case <-o.sent:
			return nil
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("send the plugin's output: %w", context.Cause(ctx))
		}
	}
}
