package plugintest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/runner"
)

// Plugin is a plugin in this process. It is a [runner.Runner], so that
// host.Config.Runner can return it.
type Plugin struct {
	runner.Local

	cfg      plugin.Config
	env      map[string]string
	announce stream // the handshake line
	log      stream
	stdout   stream
	stderr   stream
	signals  chan os.Signal
	ended    chan struct{}
	crash    context.CancelFunc

	mu      sync.Mutex
	started bool
	err     error
	exit    runner.Exit
}

var _ runner.Runner = (*Plugin)(nil)

// stream is a pipe between the plugin and the reader of its output.
type stream struct {
	*io.PipeReader
	*io.PipeWriter
}

func newStream() stream {
	r, w := io.Pipe()
	return stream{r, w}
}

// NewPlugin returns a plugin for a host to start, with the environment of cmd.
func NewPlugin(cmd runner.Command, cfg plugin.Config) *Plugin {
	p := &Plugin{
		cfg:      cfg,
		env:      make(map[string]string, len(cmd.Env)),
		announce: newStream(),
		log:      newStream(),
		stdout:   newStream(),
		stderr:   newStream(),
		signals:  make(chan os.Signal, 8),
		ended:    make(chan struct{}),
	}
	for _, variable := range cmd.Env {
		key, value, _ := strings.Cut(variable, "=")
		p.env[key] = value
	}
	return p
}

// Print writes to the plugin's os.Stdout, PrintError to its os.Stderr. They
// return when the transport has taken the text.
func (p *Plugin) Print(text string) { _, _ = io.WriteString(p.stdout.PipeWriter, text) }

// PrintError is Print for os.Stderr.
func (p *Plugin) PrintError(text string) { _, _ = io.WriteString(p.stderr.PipeWriter, text) }

// Log writes to the plugin's log, as if to descriptor 2.
func (p *Plugin) Log(text string) { _, _ = io.WriteString(p.log.PipeWriter, text) }

// Signal delivers a signal to the plugin.
func (p *Plugin) Signal(sig os.Signal) { p.signals <- sig }

// Err returns the error of the plugin's Run; nil while it runs.
func (p *Plugin) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Start runs the plugin.
func (p *Plugin) Start(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return &runner.StartError{Path: p.Name(), Err: err}
	}
	if p.started {
		return runner.ErrAlreadyStarted
	}
	p.started = true
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p.crash = cancel
	go p.run(run)
	return nil
}

func (p *Plugin) run(ctx context.Context) {
	err := plugin.Run(ctx, plugin.Env{
		Lookup: func(key string) (string, bool) {
			p.mu.Lock()
			defer p.mu.Unlock()
			value, ok := p.env[key]
			return value, ok
		},
		Unset: func(key string) {
			p.mu.Lock()
			defer p.mu.Unlock()
			delete(p.env, key)
		},
		Announce:  p.announce.PipeWriter,
		Log:       p.log.PipeWriter,
		Stdout:    p.stdout.PipeReader,
		Stderr:    p.stderr.PipeReader,
		EndOutput: p.endOutput,
		Signals:   p.signals,
	}, p.cfg)
	p.mu.Lock()
	p.err = err
	if err != nil && p.exit.Signal == nil {
		p.exit.Code = 1
	}
	p.mu.Unlock()
	if err != nil {
		_, _ = fmt.Fprintln(p.log.PipeWriter, err)
	}
	_ = p.announce.PipeWriter.Close()
	_ = p.log.PipeWriter.Close()
	close(p.ended)
}

func (p *Plugin) endOutput() {
	_ = p.stdout.PipeWriter.Close()
	_ = p.stderr.PipeWriter.Close()
}

// Stdout returns the stream with the handshake line.
func (p *Plugin) Stdout() io.ReadCloser { return p.announce.PipeReader }

// Stderr returns the plugin's log.
func (p *Plugin) Stderr() io.ReadCloser { return p.log.PipeReader }

// Wait waits for the plugin's end.
func (p *Plugin) Wait(ctx context.Context) (runner.Exit, error) {
	select {
	case <-p.ended:
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.exit, nil
	case <-ctx.Done():
		return runner.Exit{}, fmt.Errorf("wait for the plugin in this process: %w", context.Cause(ctx))
	}
}

// Kill ends the plugin. A part of this process cannot be killed like a process:
// instead the context of its Run is canceled.
func (p *Plugin) Kill(ctx context.Context) error {
	p.mu.Lock()
	if !p.started {
		p.mu.Unlock()
		return nil
	}
	select {
	case <-p.ended:
	default:
		p.exit = runner.Exit{Code: runner.ExitUnknown, Signal: syscall.SIGKILL}
	}
	p.mu.Unlock()
	p.crash()
	_ = p.announce.PipeReader.Close()
	_ = p.log.PipeReader.Close()
	_, err := p.Wait(ctx)
	return err
}

// Name is "plugin".
func (p *Plugin) Name() string { return "plugin" }

// ID returns a text, as there is no process.
func (p *Plugin) ID() string { return "in process" }

// Diagnose returns "": Err has the reason.
func (p *Plugin) Diagnose(context.Context) string {
	if err := p.Err(); err != nil && !errors.Is(err, context.Canceled) {
		return err.Error()
	}
	return ""
}
