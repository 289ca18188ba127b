// This program is a plugin with many instances of one service.
package main

import (
	"context"
	"sync/atomic"

	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/examples/instances/tally"
)

type opener struct{}

func (opener) Open(_ context.Context, start int64) (tally.Tally, error) {
	t := new(sum)
	t.value.Store(start)
	return t, nil
}

// sum is one instance.
type sum struct{ value atomic.Int64 }

func (s *sum) Add(_ context.Context, amount int64) (int64, error) { return s.value.Add(amount), nil }

func (s *sum) Close(context.Context) error { return nil }

func main() {
	plugin.Serve(plugin.Config{
		Handshake:  tally.Handshake,
		Versions:   tally.Versions,
		Implements: tally.Plugin.Bind(opener{}),
	})
}
