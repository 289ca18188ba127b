package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/core/runner"
	"github.com/jackfield-go/jackfield/core/supervise"
)

var handshake = core.Handshake{MagicCookieKey: "GREETER_PLUGIN", MagicCookieValue: "b7c1a0de"}

var greeter = core.Define[*faketransport.Client]("greeter")

// greeterPlugin describes a plugin that greets with a word. It stands for a program, which an
// example has none of.
func greeterPlugin(word string, started ...func(*plugintest.Plugin)) host.Config {
	greet := func(_ context.Context, name string) (string, error) { return word + ", " + name + "!", nil }
	return host.Config{
		Handshake: handshake,
		Versions:  core.Versions{1: {&faketransport.Transport{}}}, // a real one, such as transportgrpc.New
		Command:   host.Command("./greeter-plugin"),
		Logger:    slog.New(slog.DiscardHandler),
		Runner: func(cmd runner.Command) (runner.Runner, error) { // left out where a program is run
			p := plugintest.NewPlugin(cmd, plugin.Config{
				Handshake: handshake,
				Versions:  core.Versions{1: {&faketransport.Transport{Objects: map[string]faketransport.Object{"greeter": greet}}}},
			})
			for _, f := range started {
				f(p)
			}
			return p, nil
		},
	}
}

// A handle is dispensed once, and its calls go to the process that runs at the time.
func ExampleStart() {
	ctx := context.Background()
	var current *plugintest.Plugin
	s, err := supervise.Start(ctx, supervise.Config{
		Launch:  greeterPlugin("Hello", func(p *plugintest.Plugin) { current = p }),
		Restart: supervise.Restart{MinPause: time.Millisecond},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	greeters, err := supervise.Dispense(ctx, s, greeter)
	if err != nil {
		fmt.Println(err)
		return
	}
	greet := func(ctx context.Context, g *faketransport.Client) (string, error) { return g.Call(ctx, "Ada") }
	fmt.Println(supervise.Call(ctx, greeters, greet))

	_ = current.Kill(ctx) // an accident
	fmt.Println(supervise.Call(ctx, greeters.Idempotent(), greet))
	// Output:
	// Hello, Ada! <nil>
	// Hello, Ada! <nil>
}

// A plugin is replaced by a newer program while callers use it. A program that does not become
// healthy changes nothing.
func ExampleSupervisor_Replace() {
	ctx := context.Background()
	s, err := supervise.Start(ctx, supervise.Config{Launch: greeterPlugin("Hello")})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	greeters, err := supervise.Dispense(ctx, s, greeter)
	if err != nil {
		fmt.Println(err)
		return
	}
	greet := func(ctx context.Context, g *faketransport.Client) (string, error) { return g.Call(ctx, "Ada") }

	fmt.Println(s.Replace(ctx, greeterPlugin("Good day")))
	fmt.Println(supervise.Call(ctx, greeters, greet))

	broken := greeterPlugin("Hi")
	broken.Runner = func(runner.Command) (runner.Runner, error) { return nil, errors.New("it does not start") }
	var failed *host.LaunchError
	fmt.Println(errors.As(s.Replace(ctx, broken), &failed))
	fmt.Println(supervise.Call(ctx, greeters, greet))
	// Output:
	// <nil>
	// Good day, Ada! <nil>
	// true
	// Good day, Ada! <nil>
}

// Several plugins start at the same time and are closed together.
func ExampleStartAll() {
	ctx := context.Background()
	plugins, err := supervise.StartAll(ctx, 8,
		supervise.Config{Launch: greeterPlugin("Hello")},
		supervise.Config{Launch: greeterPlugin("Good day")},
	)
	if err != nil {
		fmt.Println(errors.Join(err, plugins.Close()))
		return
	}
	for _, s := range plugins {
		greeters, err := supervise.Dispense(ctx, s, greeter)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(supervise.Call(ctx, greeters, func(ctx context.Context, g *faketransport.Client) (string, error) {
			return g.Call(ctx, "Ada")
		}))
	}
	fmt.Println(plugins.Close())
	// Output:
	// Hello, Ada! <nil>
	// Good day, Ada! <nil>
	// <nil>
}

// Events arrive one at a time, in their order.
func ExampleEvent() {
	ctx := context.Background()
	var current *plugintest.Plugin
	events := make(chan supervise.Event, 16)
	s, err := supervise.Start(ctx, supervise.Config{
		Launch:  greeterPlugin("Hello", func(p *plugintest.Plugin) { current = p }),
		Restart: supervise.Restart{Limit: 1},
		OnEvent: func(e supervise.Event) { events <- e },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = current.Kill(ctx) // an accident
	<-s.Done()
	close(events)
	for e := range events {
		fmt.Println(e.Kind)
	}
	var gaveUp *supervise.GaveUpError
	fmt.Println(errors.As(s.Err(), &gaveUp))
	// Output:
	// up
	// down
	// gave up
	// closed
	// true
}

// english is an application's own interface on a handle: its users know nothing of restarts.
type english struct {
	plugin supervise.Handle[*faketransport.Client]
}

// Greet may run twice, so a lost process is no error here.
func (e english) Greet(ctx context.Context, name string) (string, error) {
	return supervise.Call(ctx, e.plugin.Idempotent(), func(ctx context.Context, g *faketransport.Client) (string, error) {
		return g.Call(ctx, name)
	})
}

// A type with the methods of the plugin's interface hides the handle from its callers.
func ExampleHandle() {
	ctx := context.Background()
	s, err := supervise.Start(ctx, supervise.Config{Launch: greeterPlugin("Hello")})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	greeters, err := supervise.Dispense(ctx, s, greeter)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(english{greeters}.Greet(ctx, "Ada"))
	// Output: Hello, Ada! <nil>
}
