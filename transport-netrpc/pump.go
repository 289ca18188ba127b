package transportnetrpc

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/jackfield-go/jackfield/broker/yamux"
)

// pump copies one of the plugin's outputs to whichever host is connected last.
type pump struct {
	source io.Reader
	ended  chan struct{} // closed when all has been sent

	mu      sync.Mutex
	target  *yamux.Stream
	changed chan struct{} // closed when target changes
}

func newPump(source io.Reader) *pump {
	return &pump{source: source, ended: make(chan struct{}), changed: make(chan struct{})}
}

// attach makes stream the target. The returned function takes it back.
func (p *pump) attach(stream *yamux.Stream) (detach func()) {
	p.set(stream)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.target == stream {
			p.target = nil
		}
	}
}

func (p *pump) set(stream *yamux.Stream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = stream
	close(p.changed)
	p.changed = make(chan struct{})
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

// send writes data to the target, and what is left of it to the next one if the
// connection breaks. It returns false when ctx has ended.
func (p *pump) send(ctx context.Context, data []byte) bool {
	for len(data) > 0 {
		p.mu.Lock()
		target, changed := p.target, p.changed
		p.mu.Unlock()
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
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.target != nil {
		_ = p.target.CloseWrite()
	}
}

// finish waits until all has been sent. It does not when there is no host to
// send to.
func (p *pump) finish(ctx context.Context) error {
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	if target == nil {
		return nil
	}
	select {
	case <-p.ended:
		return nil
	case <-target.Done():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("send what the plugin printed: %w", context.Cause(ctx))
	}
}
