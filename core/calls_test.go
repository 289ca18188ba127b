package core_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/jackfield-go/jackfield/core"
)

func TestDrainWaitsForTheCallsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := core.NewCalls()
		begin(t, c)
		begin(t, c)
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("no patience")
		cancel(why)
		if err := c.Drain(ctx); !errors.Is(err, why) {
			t.Errorf("got %v, want the context's cause", err)
		}
		drained := make(chan error, 1)
		go func() { drained <- c.Drain(t.Context()) }()
		c.End()
		begin(t, c) // a call in flight may need it
		c.End()
		synctest.Wait()
		if len(drained) > 0 {
			t.Fatal("Drain returned while a call was in flight")
		}
		c.End()
		if err := <-drained; err != nil {
			t.Error(err)
		}
		if c.Begin() {
			t.Error("a call began after Drain")
		}
		if err := c.Context().Err(); err != nil {
			t.Errorf("the calls were cut off: %v", err)
		}
	})
}

func begin(t *testing.T, c *core.Calls) {
	t.Helper()
	if !c.Begin() {
		t.Fatal("the call was refused")
	}
}

func TestDrainOfNoCallsLetsNoneBegin(t *testing.T) {
	c := core.NewCalls()
	if err := c.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	if c.Begin() {
		t.Error("a call began after Drain")
	}
}

func TestCutEndsTheContextAndLetsNoCallBegin(t *testing.T) {
	c := core.NewCalls()
	begin(t, c)
	c.Cut()
	if c.Context().Err() == nil {
		t.Error("the context has not ended")
	}
	if c.Begin() {
		t.Error("a call began after Cut")
	}
	c.End()
	if err := c.Drain(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCallsThatAreNilCountNothing(t *testing.T) {
	var c *core.Calls
	begin(t, c)
	c.End()
}
