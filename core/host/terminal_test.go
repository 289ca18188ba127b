package host_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/core/runner"
)

// conformance/terminal has the tests at a terminal.

func TestWithTerminalNeedsAChildProcess(t *testing.T) {
	plugintest.NoLeaks(t)
	client := launch(t, withRunner(config(t, "serve", ""), func(cmd runner.Command) runner.Runner {
		return struct{ runner.Runner }{runner.NewProcess(cmd)} // its ID may mean anything
	}))
	err := client.WithTerminal(within(t), func(context.Context) error { return errors.New("lent") })
	if !errors.Is(err, host.ErrNoTerminal) {
		t.Errorf("got %v", err)
	}
	mention(t, err, "no child process")
	if err := client.Close(); err != nil {
		t.Error(err)
	}
}

func TestWithTerminalIsAnErrorAfterTheEnd(t *testing.T) {
	client := launch(t, config(t, "serve", ""))
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	err := client.WithTerminal(within(t), func(context.Context) error { return errors.New("lent") })
	if !errors.Is(err, core.ErrClosed) {
		t.Errorf("got %v", err)
	}
}
