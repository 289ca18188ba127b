// This program is a rule of the style checker, on Jackfield: it finds words repeated in a
// row.
package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strconv"
	"strings"

	"github.com/jackfield-go/jackfield/conformance/migrating/after/rules"
	"github.com/jackfield-go/jackfield/core/plugin"
)

type doubled struct{ logger *slog.Logger }

func (d doubled) Check(ctx context.Context, text string, findings rules.Findings) (int, error) {
	if strings.TrimSpace(text) == "" {
		return 0, errors.New("the text is empty")
	}
	faults := 0
	for i, line := range strings.Split(text, "\n") {
		previous := ""
		for word := range strings.FieldsSeq(line) {
			if word == previous {
				faults++
				if err := findings.Report(ctx, i+1, strconv.Quote(word)+" stands twice"); err != nil {
					return faults, err
				}
			}
			previous = word
		}
	}
	d.logger.InfoContext(ctx, "checked a text", "bytes", len(text))
	return faults, nil
}

func main() {
	logger := slog.New(plugin.NewLogHandler(os.Stderr, plugin.LogOptions{}))
	plugin.Serve(plugin.Config{
		Handshake:  rules.Handshake,
		Versions:   rules.Versions,
		Implements: rules.Plugin.Bind(doubled{logger}),
		Logger:     logger,
	})
}
