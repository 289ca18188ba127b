// This program is a host of both versions. It launches each plugin named by its arguments and
// greets in two languages; older plugins have only one. Then it repeats this as a host of version
// 1, and as an old release of this program, which the new plugin refuses.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

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
		release  string
		versions core.Versions
	}{
		{"this host", "3.1.0", greeter.Versions},
		{"the host of last year", "2.4.0", greeter.Versions1},
		{"the first host", "1.0.0", greeter.Versions1},
	}
	for _, h := range hosts {
		for _, path := range plugins {
			err := greet(ctx, h.name, h.release, h.versions, path)
			if refusal := (*core.RequirementError)(nil); errors.As(err, &refusal) {
				fmt.Printf("%s and %s: %v\n", h.name, filepath.Base(path), refusal)
			} else if err != nil {
				return err
			}
		}
	}
	return nil
}

func greet(ctx context.Context, self, release string, versions core.Versions, path string) error {
	cfg := host.Config{
		Handshake:   greeter.Handshake,
		Versions:    versions,
		Command:     host.Command(path),
		AutoMTLS:    host.MTLSRequired,
		Require:     ">= 1.2, < 3", // the releases of plugins that this host was tried with
		HostVersion: release,
	}
	return host.With(ctx, cfg, func(ctx context.Context, client *host.Client) error {
		info := client.Info()
		fmt.Printf("%s and %s %s agree on version %d, over %s\n",
			self, info.Name, info.Version, info.AppVersion, info.Protocol)
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
