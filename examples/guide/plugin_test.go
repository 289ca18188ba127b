package guide_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/examples/basic/greeter"
)

func serveWithHooks() {
	log := slog.New(plugin.NewLogHandler(os.Stderr, plugin.LogOptions{
		Name:      "greeter",      // "@module" in the host's records
		Level:     slog.LevelInfo, // nil writes all, and the host chooses
		AddSource: true,           // "@caller"
	}))
	slog.SetDefault(log)

	plugin.Serve(plugin.Config{
		Handshake:  greeter.Handshake,
		Versions:   greeter.Versions,
		Implements: greeter.Plugin.Bind(polite{log}),
		Logger:     log,
		OnShutdown: []func(context.Context){
			func(context.Context) { fmt.Println("the database is closed") },
			func(context.Context) { fmt.Println("the queue is written") }, // runs first
		},
	})
}

func TestShutdownHooksRunLastFirstAndTheirPrintsArrive(t *testing.T) {
	var printed, logged buffer
	client := launch(t, host.Config{
		Outputs: host.Outputs{PrintedStdout: &printed},
		Logger:  slog.New(slog.NewTextHandler(&logged, nil)),
	})
	g, err := host.Dispense(t.Context(), client, greeter.Plugin)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Greet(t.Context(), "Ada"); err != nil {
		t.Fatal(err)
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := printed.String(), "the queue is written\nthe database is closed\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
	if got := logged.String(); !strings.Contains(got, "msg=asked") || !strings.Contains(got, "@module=greeter") ||
		!strings.Contains(got, "@caller=") {
		t.Errorf("logged %q", got)
	}
}

// buffer is a bytes.Buffer for concurrent use.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
