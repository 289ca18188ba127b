package shared

import (
	"context"
	"net/rpc"
)

// Caller calls one method of the peer's service by its full name ("Plugin.Echo"), until its
// context is done.
type Caller interface {
	Call(ctx context.Context, method string, args, reply any) error
}

// Probe is the host's end of the probe, with one method for each method of [Server].
type Probe struct {
	caller Caller
	broker Broker
}

// NewProbe returns a probe that calls through caller. broker is the host's broker.
func NewProbe(caller Caller, broker Broker) *Probe {
	return &Probe{caller: caller, broker: broker}
}

// Broker returns the host's broker on the connection of this probe.
func (p *Probe) Broker() Broker { return p.broker }

// Call calls any method of the service by its short name ("Echo"), including missing
// methods.
func (p *Probe) Call(ctx context.Context, method string, args, reply any) error {
	return p.caller.Call(ctx, service+"."+method, args, reply)
}

// call is Call for methods with a value as their reply.
func call[R any](ctx context.Context, p *Probe, method string, args any) (R, error) {
	// Each call needs its own reply, because net/rpc may still write to the reply of an
	// abandoned call.
	reply := new(R)
	if err := p.Call(ctx, method, args, reply); err != nil {
		var zero R
		return zero, err
	}
	return *reply, nil
}

// Echo returns the text sent back by the plugin.
func (p *Probe) Echo(ctx context.Context, text string) (string, error) {
	return call[string](ctx, p, "Echo", text)
}

// Sum returns a+b.
func (p *Probe) Sum(ctx context.Context, a, b int64) (int64, error) {
	return call[int64](ctx, p, "Sum", SumArgs{A: a, B: b})
}

// Fail returns the plugin's error with the text message.
func (p *Probe) Fail(ctx context.Context, message string) error {
	return p.Call(ctx, "Fail", message, new(Empty))
}

// Block waits for Release, or for ctx.
func (p *Probe) Block(ctx context.Context) error {
	return p.Call(ctx, "Block", Empty{}, new(Empty))
}

// Release lets Block return.
func (p *Probe) Release(ctx context.Context) error {
	return p.Call(ctx, "Release", Empty{}, new(Empty))
}

// Print lets the plugin write to its os.Stdout and os.Stderr.
func (p *Probe) Print(ctx context.Context, stdout, stderr string) error {
	return p.Call(ctx, "Print", PrintArgs{Stdout: stdout, Stderr: stderr}, new(Empty))
}

// Env returns a variable of the plugin's environment.
func (p *Probe) Env(ctx context.Context, name string) (string, error) {
	return call[string](ctx, p, "Env", name)
}

// Pid returns the plugin's process ID.
func (p *Probe) Pid(ctx context.Context) (int, error) {
	return call[int](ctx, p, "Pid", Empty{})
}

// Exit ends the plugin's process; the error is that of a lost connection.
func (p *Probe) Exit(ctx context.Context, code int) error {
	return p.Call(ctx, "Exit", code, new(Empty))
}

// Version returns the application version of the plugin set dispensed from.
func (p *Probe) Version(ctx context.Context) (int, error) {
	return call[int](ctx, p, "Version", Empty{})
}

// Bytes returns n bytes of [Pattern].
func (p *Probe) Bytes(ctx context.Context, n int) ([]byte, error) {
	return call[[]byte](ctx, p, "Bytes", n)
}

// Instance returns the number of the plugin's instance.
func (p *Probe) Instance(ctx context.Context) (int, error) {
	return call[int](ctx, p, "Instance", Empty{})
}

// Count returns the number of its calls on this instance.
func (p *Probe) Count(ctx context.Context) (int, error) {
	return call[int](ctx, p, "Count", Empty{})
}

// Callback lets the plugin ask question at the host's broker ID.
func (p *Probe) Callback(ctx context.Context, id uint32, question string) (string, error) {
	return call[string](ctx, p, "Callback", CallbackArgs{ID: id, Question: question})
}

// ServeBack returns the broker ID of an [Asker] served by the plugin.
func (p *Probe) ServeBack(ctx context.Context) (uint32, error) {
	return call[uint32](ctx, p, "ServeBack", Empty{})
}

// ReadAll lets the plugin read the raw stream at the host's broker ID.
func (p *Probe) ReadAll(ctx context.Context, id uint32) (ReadAllReply, error) {
	return call[ReadAllReply](ctx, p, "ReadAll", id)
}

// NetRPC makes a [Caller] from a client of the standard library. When its context ends, a
// call is abandoned, and a late answer is dropped.
func NetRPC(client *rpc.Client) Caller { return netRPC{client} }

type netRPC struct {
	client *rpc.Client
}

// Call starts the call and waits for its end or the context's.
func (n netRPC) Call(ctx context.Context, method string, args, reply any) error {
	pending := n.client.Go(method, args, reply, make(chan *rpc.Call, 1))
	select {
	case <-pending.Done:
		return pending.Error
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
