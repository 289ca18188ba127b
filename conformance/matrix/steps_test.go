package matrix

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/probe"
	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/scenario"
	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
)

// patience limits operations that must not hang. Interpreters are slow.
const patience = time.Minute

// step is one action of a host on its plugin. The matrix shows its letter.
type step struct {
	letter, name string
	do           func(ctx context.Context, p *launched) error
}

// launched is a running plugin under a host on either library.
type launched struct {
	// dispensed is a *shared.Probe or a *probe.Client.
	dispensed any
	pid       int
	ping      func(ctx context.Context) error
	// stop asks the plugin to leave. It fails unless the plugin left by itself.
	stop           func(ctx context.Context) error
	stdout, stderr *shared.Output
	log            *shared.Output
}

// goSteps are the hosts' steps with a plugin in Go, including brokered connections in both
// directions.
func goSteps() []step {
	return []step{
		{"P", "ping", pingIt},
		{"C", "calls", call},
		{"B", "callback: the host serves at its broker, and the plugin dials", callback},
		{"O", "offer: the plugin serves at its broker, and the host dials", offer},
		{"S", "stdout and stderr arrive, in order", output},
		endStep(),
	}
}

// languageSteps are the steps with a plugin in another language. Its stderr is its log.
func languageSteps() []step {
	steps := goSteps()
	return append(steps[:len(steps)-2],
		step{"S", "stdout and stderr arrive, in order; a plugin in another language has its log on stderr", printed},
		step{"L", "log: the host's log has the records of a plugin in another language", logged},
		endStep())
}

func endStep() step {
	return step{endLetter, "orderly end: on request the plugin leaves with status 0, and no process, socket or file is left", end}
}

const endLetter = "E"

func (c cell) steps() []step {
	if isGo(c.Plugin) {
		return goSteps()
	}
	return languageSteps()
}

func pingIt(ctx context.Context, p *launched) error { return p.ping(ctx) }

func call(ctx context.Context, p *launched) error {
	if dispensed, ok := p.dispensed.(*shared.Probe); ok {
		for _, text := range []string{"", "hello", strings.Repeat("x", 1<<20)} {
			switch got, err := dispensed.Echo(ctx, text); {
			case err != nil:
				return fmt.Errorf("echo of %d bytes: %w", len(text), err)
			case got != text:
				return fmt.Errorf("echo of %d bytes returned %d bytes, or different bytes", len(text), len(got))
			}
		}
		return nil
	}
	return p.perform(ctx, "streams")
}

func callback(ctx context.Context, p *launched) error {
	if dispensed, ok := p.dispensed.(*shared.Probe); ok {
		return errors.Join(
			shared.AnswerPlugin(ctx, dispensed, "first question"),
			shared.AnswerPlugin(ctx, dispensed, "second question"))
	}
	return p.perform(ctx, "callback")
}

func offer(ctx context.Context, p *launched) error {
	dispensed, ok := p.dispensed.(*shared.Probe)
	if !ok {
		return p.perform(ctx, "offer")
	}
	id, err := dispensed.ServeBack(ctx)
	if err != nil {
		return err
	}
	asker, err := shared.DialAsker(ctx, dispensed, id)
	if err != nil {
		return err
	}
	return errors.Join(
		shared.AskPlugin(ctx, asker, "first question"),
		shared.AskPlugin(ctx, asker, "second question"),
		asker.Close())
}

func output(ctx context.Context, p *launched) error {
	dispensed, ok := p.dispensed.(*shared.Probe)
	if !ok {
		return p.perform(ctx, "stdio")
	}
	long := strings.Repeat("y", 200<<10) + "\n"
	err := errors.Join(dispensed.Print(ctx, "first out\n", "first err\n"), dispensed.Print(ctx, long, "second err"))
	if err != nil {
		return err
	}
	return errors.Join(
		p.stdout.WaitFor(ctx, "stdout", "first out\n"+long),
		p.stderr.WaitFor(ctx, "stderr", "first err\nsecond err"))
}

// printed is output for a plugin in another language.
func printed(ctx context.Context, p *launched) error {
	dispensed, ok := p.dispensed.(*probe.Client)
	if !ok {
		return fmt.Errorf("a %T was dispensed", p.dispensed)
	}
	long := strings.Repeat("y", 200<<10) + "\n"
	for _, request := range []*conformancev1.PrintRequest{
		{Stdout: "first out\n", Stderr: "first err\n"},
		{Stdout: long, Stderr: "second err\n", Times: 2},
	} {
		if _, err := dispensed.Print(ctx, request); err != nil {
			return err
		}
	}
	return errors.Join(
		p.stdout.WaitFor(ctx, "stdout", "first out\n"+long+long),
		p.log.WaitUntil(ctx, func(log string) bool { return strings.Contains(log, "second err") }))
}

// logged makes the plugin log, and looks for it.
func logged(ctx context.Context, p *launched) error {
	dispensed, ok := p.dispensed.(*probe.Client)
	if !ok {
		return fmt.Errorf("a %T was dispensed", p.dispensed)
	}
	if _, err := dispensed.Echo(ctx, &conformancev1.EchoRequest{}); err != nil {
		return err
	}
	return p.log.WaitUntil(ctx, func(log string) bool { return strings.Contains(log, "echoed") })
}

func end(ctx context.Context, p *launched) error {
	if err := p.stop(ctx); err != nil {
		return err
	}
	if !shared.ProcessGone(p.pid) {
		return fmt.Errorf("process %d still runs", p.pid)
	}
	return nil
}

// perform runs a gRPC scenario. The scenario must need only this much of a host.
func (p *launched) perform(ctx context.Context, name string) error {
	client, ok := p.dispensed.(*probe.Client)
	if !ok {
		return fmt.Errorf("a %T was dispensed", p.dispensed)
	}
	of, known := scenario.Named(name)
	if !known {
		return fmt.Errorf("no scenario %q", name)
	}
	return of.Do(ctx, &scenario.Run{Host: outputs{plugin: p}, Probe: client, Values: make(map[string]any)})
}

// outputs is a host with only its outputs in use.
type outputs struct {
	scenario.Host

	plugin *launched
}

func (o outputs) Stdout() *shared.Output { return o.plugin.stdout }

func (o outputs) Stderr() *shared.Output { return o.plugin.stderr }
