// This program is a host of both versions. It launches each plugin named by its arguments and
// greets in two languages; older plugins have only one. Then it repeats this as a host of version
// 1.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/examples/negotiated/greeter"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: host path/to/greeter-plugin...")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, plugins []string) error {
	hosts := []struct {
		name     string
		versions core.Versions
	}{
		{"this host", greeter.Versions},
		{"the host of last year", greeter.Versions1},
	}
	for _, h := range hosts {
		for _, path := range plugins {
			if err := greet(ctx, h.name, h.versions, path); err != nil {
				return err
			}
		}
	}
	return nil
}

func greet(ctx context.Context, self string, versions core.Versions, path string) error {
	cfg := host.Config{
		Handshake: greeter.Handshake,
		Versions:  versions,
		Command:   host.Command(path),
		AutoMTLS:  host.MTLSRequired,
	}
	return host.With(ctx, cfg, func(ctx context.Context, client *host.Client) error {
		fmt.Printf("%s and %s agree on version %d, over %s\n",
			self, client.Name(), client.NegotiatedVersion(), client.Protocol())
		return use(ctx, client)
	})
}

// use is the same for plugins of both versions.
func use(ctx context.Context, client *host.Client) error {
	g, err := host.Dispense(ctx, client, greeter.Plugin)
	if err != nil {
		return err
	}
	for _, language := range []string{greeter.English, "fr"} {
		greeting, err := g.Greet(ctx, "Ada", language)
		if err != nil && !errors.Is(err, greeter.ErrLanguage) {
			return err
		}
		if err != nil {
			greeting = err.Error()
		}
		fmt.Printf("\t%s: %s\n", language, greeting)
	}
	return nil
}
