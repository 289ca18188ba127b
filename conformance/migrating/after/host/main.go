// This program is the style checker, on Jackfield: it reads a text from its input and lets
// a rule check it.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/hashicorp/go-hclog"

	"github.com/jackfield-go/jackfield/conformance/migrating/after/rules"
	"github.com/jackfield-go/jackfield/core/host"
	loghclog "github.com/jackfield-go/jackfield/log-hclog"
)

type printer struct{}

func (printer) Report(_ context.Context, line int, fault string) error {
	_, err := fmt.Printf("line %d: %s\n", line, fault)
	return err
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: host path/to/rule <text")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, path string) error {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	logger := hclog.New(&hclog.LoggerOptions{Name: "style", Output: os.Stderr, Level: hclog.Info})
	return host.With(ctx, host.Config{
		Handshake: rules.Handshake,
		Versions:  rules.Versions,
		Command:   host.Command(path),
		AutoMTLS:  host.MTLSRequired,
		Logger:    slog.New(loghclog.NewHandler(logger, loghclog.HandlerOptions{})),
	}, func(ctx context.Context, client *host.Client) error {
		rule, err := host.Dispense(ctx, client, rules.Plugin)
		if err != nil {
			return err
		}

		faults, err := rule.Check(ctx, string(text), printer{})
		if err != nil {
			return err
		}
		fmt.Println("faults:", faults)
		_, err = rule.Check(ctx, "", printer{})
		fmt.Println("without a text:", err)
		return nil
	})
}
