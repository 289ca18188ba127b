package host_test

import (
	"errors"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugintest"
)

func TestCloseReportsANonzeroExit(t *testing.T) {
	plugintest.NoLeaks(t)
	client, err := host.Launch(within(t), config(t, "leave", "3"))
	if err != nil {
		t.Fatal(err)
	}
	var exit *core.ExitError
	if err := client.Close(); !errors.As(err, &exit) || exit.Code != 3 {
		t.Errorf("Close: %v", err)
	}
	if err := client.Err(); err != nil {
		t.Errorf("Err after an end that was asked for: %v", err)
	}
}

func TestKillIsNoFailureForClose(t *testing.T) {
	plugintest.NoLeaks(t)
	client := launch(t, config(t, "serve", ""))
	if err := client.Kill(within(t)); err != nil {
		t.Fatal(err)
	}
	if err := client.Close(); err != nil {
		t.Errorf("Close after Kill: %v", err)
	}
}

// blocked is a writer that lets nobody go until it is closed.
type blocked chan struct{}

func (b blocked) Write(p []byte) (int, error) {
	<-b
	return len(p), nil
}

func TestBlockingWriterDoesNotHideACrash(t *testing.T) {
	plugintest.NoLeaks(t)
	sink := make(blocked)
	defer close(sink)
	cfg := config(t, "serve", "")
	cfg.Outputs.RawLog, cfg.Outputs.PrintedStdout = sink, sink
	client, err := host.Launch(within(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	var exit *core.ExitError
	if _, err := tryCall(within(t), client, "exit", "3"); err == nil {
		t.Error("the call that ended the process returned no error")
	}
	select {
	case <-client.Done():
	case <-within(t).Done():
		t.Fatal("Done is not closed")
	}
	if err := client.Err(); !errors.As(err, &exit) || exit.Code != 3 {
		t.Errorf("Err: %v", err)
	}
	if err := client.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}
