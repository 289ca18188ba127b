// This program is a host: it launches the plugin named by its argument, calls
// it, and stops it.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/examples/basic/greeter"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: host path/to/greeter-plugin")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, path string) error {
	cfg := host.Config{
		Handshake: greeter.Handshake,
		Versions:  greeter.Versions,
		Command:   host.Command(path),
		AutoMTLS:  host.MTLSRequired,
		Outputs:   host.Outputs{PrintedStdout: os.Stdout},
		Logger:    slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: stable})),
	}
	if err := host.With(ctx, cfg, greet); err != nil {
		return err
	}
	fmt.Println("the plugin has left")
	return nil
}

// greet calls the plugin. When it returns, host.With closes the plugin.
func greet(ctx context.Context, client *host.Client) error {
	fmt.Printf("host %d launched %s as process %s\n", os.Getpid(), client.Name(), client.ID())

	g, err := host.Dispense(ctx, client, greeter.Plugin)
	if err != nil {
		return err
	}
	greeting, err := g.Greet(ctx, "world")
	if err != nil {
		return err
	}
	fmt.Println("the plugin answers:", greeting)

	_, err = g.Greet(ctx, "")
	fmt.Println("an error crosses too:", err)
	return nil
}

// stable removes the time and the path of the plugin from the log, for a stable output.
func stable(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey || a.Key == "plugin_path" {
		return slog.Attr{}
	}
	return a
}
