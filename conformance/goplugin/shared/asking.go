package shared

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/rpc"
)

// AnswerPlugin lets the plugin ask the host a question over a connection dialled by the
// plugin, and checks the answer.
func AnswerPlugin(ctx context.Context, p *Probe, question string) error {
	id := p.broker.NextId()
	accepted := make(chan error, 1)
	go func() {
		conn, err := p.broker.Accept(id)
		accepted <- err
		if err == nil {
			ServeAsker(conn, AskerFunc(HostAnswer))
		}
	}()
	answer, err := p.Callback(ctx, id, question)
	if err != nil {
		return fmt.Errorf("callback on ID %d: %w", id, err)
	}
	want, err := HostAnswer(question)
	if answer != want {
		err = fmt.Errorf("callback on ID %d: answer %q, expected %q", id, answer, want)
	}
	return errors.Join(err, <-accepted)
}

// DialAsker connects to the plugin's [Asker] at id.
func DialAsker(ctx context.Context, p *Probe, id uint32) (*rpc.Client, error) {
	conn, err := Bounded(ctx, func() (net.Conn, error) { return p.broker.Dial(id) })
	if err != nil {
		return nil, fmt.Errorf("dial the plugin's broker ID %d: %w", id, err)
	}
	return rpc.NewClient(conn), nil
}

// AskPlugin asks the plugin's [Asker] a question and checks the answer.
func AskPlugin(ctx context.Context, asker *rpc.Client, question string) error {
	answer := new(string)
	if err := NetRPC(asker).Call(ctx, service+".Ask", question, answer); err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	want, err := PluginAnswer(question)
	if *answer != want {
		return fmt.Errorf("ask: answer %q, expected %q", *answer, want)
	}
	return err
}

// Bounded runs a function without a context parameter, and returns when ctx is done. It
// cannot stop the function's goroutine.
func Bounded[T any](ctx context.Context, run func() (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		value, err := run()
		done <- outcome{value, err}
	}()
	select {
	case got := <-done:
		return got.value, got.err
	case <-ctx.Done():
		var zero T
		return zero, context.Cause(ctx)
	}
}
