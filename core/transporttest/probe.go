package transporttest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"sync/atomic"

	"github.com/jackfield-go/jackfield/core/plugin"
)

// Probe is the interface carried by a transport under test. The suite
// implements it for its plugins; the transport's tests make a client and a
// server of it, as an application would of its own interfaces.
type Probe interface {
	// Echo returns text.
	Echo(ctx context.Context, text string) (string, error)
	// Fail returns an error with that text.
	Fail(ctx context.Context, text string) error
	// Block returns when its context ends.
	Block(ctx context.Context) error
	// Print prints on os.Stdout and os.Stderr.
	Print(ctx context.Context, stdout, stderr string) error
	// Exit ends the process without an answer, with log.Fatal if code is 1.
	Exit(ctx context.Context, code int) error
	// Ask passes question to ask, a function of the host, and returns its
	// answer.
	Ask(ctx context.Context, ask func(ctx context.Context, question string) (string, error), question string) (string, error)
	// Copy copies a reader of the host to a writer of the host.
	Copy(ctx context.Context, w io.Writer, r io.Reader) (int64, error)
}

// probe is the Probe of plugins inside the test's process.
type probe struct{}

func (probe) Echo(_ context.Context, text string) (string, error) { return text, nil }

func (probe) Fail(_ context.Context, text string) error { return errors.New(text) }

func (probe) Block(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// processProbe is the Probe of plugin processes. It prints the order in which
// blocked calls and the shutdown hook run, if there has been a blocked call.
type processProbe struct {
	probe

	blocked atomic.Bool
}

// The lines of a processProbe.
const (
	blockBegan = "a blocked call began\n"
	blockEnded = "the blocked call ended\n"
	hookRan    = "the shutdown hook ran\n"
)

func (p *processProbe) Block(ctx context.Context) error {
	p.blocked.Store(true)
	_, _ = fmt.Fprint(os.Stdout, blockBegan)
	defer fmt.Fprint(os.Stdout, blockEnded)
	return p.probe.Block(ctx)
}

// logged is the log's stream: os.Stderr has the prints while the plugin is served.
var logged = os.Stderr

// lastWords are on stderr before an exit with status 1.
const lastWords = "cannot open settings.json: permission denied"

func (p *processProbe) Exit(ctx context.Context, code int) error {
	if code == 1 {
		slog.New(plugin.NewLogHandler(logged, plugin.LogOptions{})).WarnContext(ctx, "no settings", "tried", 2)
		log.Fatal(lastWords) //nolint:forbidigo // what the suite asks for
	}
	return p.probe.Exit(ctx, code)
}

func (p *processProbe) shutdown(context.Context) {
	if p.blocked.Load() {
		_, _ = fmt.Fprint(os.Stdout, hookRan)
	}
}

func (probe) Print(_ context.Context, stdout, stderr string) error {
	_, outErr := fmt.Fprint(os.Stdout, stdout)
	_, errErr := fmt.Fprint(os.Stderr, stderr)
	return errors.Join(outErr, errErr)
}

func (probe) Exit(_ context.Context, code int) error {
	os.Exit(code) //nolint:forbidigo // what the suite asks for
	return nil
}

func (probe) Ask(ctx context.Context, ask func(context.Context, string) (string, error), question string) (string, error) {
	return ask(ctx, question)
}

func (probe) Copy(_ context.Context, w io.Writer, r io.Reader) (int64, error) {
	return io.Copy(w, r)
}
