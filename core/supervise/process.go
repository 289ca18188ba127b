package supervise

import (
	"context"
	"sync"
	"time"

	"github.com/jackfield-go/jackfield/core/host"
)

// running is the part of a [host.Client] that supervision uses.
type running interface {
	Ping(ctx context.Context) error
	Stop(ctx context.Context) error
	Done() <-chan struct{}
	Err() error
	ID() string
	Name() string
}

var _ running = (*host.Client)(nil)

// process is one process of the plugin, with the calls under way on it. It is taken out of service
// once, and then takes no more calls.
type process struct {
	running

	client *host.Client // the same; nil in tests without processes
	since  time.Time    // when it became ready

	doubted chan struct{} // holds a request for a probe at once
	out     chan struct{} // closed when it is out of service
	ended   chan struct{} // closed when nothing of it is left
	hurry   chan struct{} // closed to end the drain
	hurried sync.Once

	mu      sync.Mutex
	calls   map[*call]struct{}
	isOut   bool
	idle    chan struct{} // closed when it is out of service without a call
	reason  error         // why its calls are lost; nil while unknown
	cut     bool          // the calls' contexts have ended
	suspect bool          // a call has lost its connection, and no probe has passed since
	trusted chan struct{} // closed by the next probe that passes
	made    map[any]*dispensed
}

func newProcess(r running) *process {
	client, _ := r.(*host.Client)
	return &process{
		running: r,
		client:  client,
		since:   time.Now(),
		doubted: make(chan struct{}, 1),
		out:     make(chan struct{}),
		ended:   make(chan struct{}),
		hurry:   make(chan struct{}),
		calls:   make(map[*call]struct{}),
		idle:    make(chan struct{}),
		trusted: make(chan struct{}),
		made:    make(map[any]*dispensed),
	}
}

// call is a call under way.
type call struct {
	process *process
	ctx     context.Context
	cancel  context.CancelCauseFunc
}

// begin counts a call until its end. It returns nil if the process takes no calls, and no more ever
// unless the channel is closed.
func (p *process) begin(ctx context.Context) (*call, <-chan struct{}) {
	c := &call{process: p}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.isOut || p.suspect || p.hasEnded() {
		c.cancel(nil)
		return nil, p.trusted
	}
	p.calls[c] = struct{}{}
	return c, nil
}

// end ends the call.
func (c *call) end() {
	p := c.process
	p.mu.Lock()
	delete(p.calls, c)
	if p.isOut && len(p.calls) == 0 {
		p.becomeIdle()
	}
	p.mu.Unlock()
	c.cancel(nil)
}

// lostFor returns whether the calls were cut off, and why the process was lost, if that is known.
func (p *process) lostFor() (cut bool, reason error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reason == nil && p.hasEnded() {
		return p.cut, p.Err()
	}
	return p.cut, p.reason
}

// leaveService lets no more calls begin.
func (p *process) leaveService() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.isOut {
		return
	}
	p.isOut = true
	close(p.out)
	if len(p.calls) == 0 {
		p.becomeIdle()
	}
}

// becomeIdle is called with the lock held, out of service and without a call.
func (p *process) becomeIdle() {
	select {
	case <-p.idle:
	default:
		close(p.idle)
	}
}

// lose notes the reason for the calls that will fail.
func (p *process) lose(reason error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reason = reason
}

// cutOff ends the contexts of the calls under way.
func (p *process) cutOff() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	for c := range p.calls {
		c.cancel(p.reason)
	}
}

// callGrace limits the time for calls to return by themselves after the end of their process. Their
// transport knows more about it than the end of their context says.
const callGrace = time.Second

// cutOffLate cuts calls off that wait for something other than their process.
func (p *process) cutOffLate() {
	timer := time.NewTimer(callGrace)
	defer timer.Stop()
	select {
	case <-p.idle:
	case <-timer.C:
		p.cutOff()
	}
}

// hasEnded reports whether the process is gone.
func (p *process) hasEnded() bool {
	select {
	case <-p.Done():
		return true
	default:
		return false
	}
}

// hasLeft reports whether the process is out of service.
func (p *process) hasLeft() bool {
	select {
	case <-p.out:
		return true
	default:
		return false
	}
}

// drain waits until the calls under way have ended, but not longer than limit, unless that is
// negative. It reports whether they have. The end of the process, of the supervisor and hurry end
// the wait too.
func (p *process) drain(life context.Context, limit time.Duration) bool {
	var late <-chan time.Time
	if limit >= 0 {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-p.idle:
		return true
	case <-late:
	case <-p.hurry:
	case <-p.Done():
	case <-life.Done():
	}
	return false
}

// cutDrain ends the drain.
func (p *process) cutDrain() { p.hurried.Do(func() { close(p.hurry) }) }

// endReason returns why an ended process has ended.
func (p *process) endReason() error {
	if err := p.Err(); err != nil {
		return err
	}
	return errEnded
}
