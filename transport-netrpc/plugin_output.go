package transportnetrpc

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/jackfield-go/jackfield/yamux"
)

// pump copies an output of the plugin to the host with the latest connection.
type pump struct {
	source io.Reader
	ended  chan struct{} // closed when all has been sent

	mu      sync.Mutex
	targets []*yamux.Stream // the last one is written to
	changed chan struct{}   // closed when targets change
}

func newPump(source io.Reader) *pump {
	return &pump{source: source, ended: make(chan struct{}), changed: make(chan struct{})}
}

// attach makes stream the target. The returned function takes it back: then the
// one before is the target again.
func (p *pump) attach(stream *yamux.Stream) (detach func()) {
	p.change(func() { p.targets = append(p.targets, stream) })
	return func() {
		p.change(func() {
			p.targets = slices.DeleteFunc(p.targets, func(s *yamux.Stream) bool { return s == stream })
		})
	}
}

func (p *pump) change(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	close(p.changed)
	p.changed = make(chan struct{})
}

// target returns the stream to write to, or nil, and a channel closed at the next
// change.
func (p *pump) target() (*yamux.Stream, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.targets) == 0 {
		return nil, p.changed
	}
	return p.targets[len(p.targets)-1], p.changed
}

func (p *pump) run(ctx context.Context) {
	defer close(p.ended)
	var buffer [4 << 10]byte
	for {
		n, err := p.source.Read(buffer[:])
		if !p.send(ctx, buffer[:n]) {
			return
		}
		if err != nil {
			p.closeTarget()
			return
		}
	}
}

// send writes data to the target, and the rest to the next target if the connection
// breaks. It returns false when ctx has ended.
func (p *pump) send(ctx context.Context, data []byte) bool {
	for len(data) > 0 {
		target, changed := p.target()
		if target != nil {
			n, err := target.Write(data)
			data = data[n:]
			if err == nil {
				continue
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

func (p *pump) closeTarget() {
	if target, _ := p.target(); target != nil {
		_ = target.CloseWrite()
	}
}

// finish waits until all has been sent. It does not when there is no host to
// send to.
func (p *pump) finish(ctx context.Context) error {
	target, _ := p.target()
	if target == nil {
		return nil
	}
	select {
	case <-p.ended:
		return nil
	case <-target.Done():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("send the plugin's output: %w", context.Cause(ctx))
	}
}
