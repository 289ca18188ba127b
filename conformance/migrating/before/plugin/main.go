// This program is a rule of the style checker, on go-plugin: it finds words repeated in a
// row.
package main

import (
	"errors"
	"os"
	"strconv"
	"strings"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/conformance/migrating/before/rules"
)

type doubled struct{ logger hclog.Logger }

func (d doubled) Check(text string, findings rules.Findings) (int, error) {
	if strings.TrimSpace(text) == "" {
		return 0, errors.New("the text is empty")
	}
	faults := 0
	for i, line := range strings.Split(text, "\n") {
		previous := ""
		for word := range strings.FieldsSeq(line) {
			if word == previous {
				faults++
				if err := findings.Report(i+1, strconv.Quote(word)+" stands twice"); err != nil {
					return faults, err
				}
			}
			previous = word
		}
	}
	d.logger.Info("checked a text", "bytes", len(text))
	return faults, nil
}

func main() {
	logger := hclog.New(&hclog.LoggerOptions{Output: os.Stderr, JSONFormat: true})
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: rules.Handshake,
		Plugins:         rules.Plugins(doubled{logger}),
		GRPCServer:      goplugin.DefaultGRPCServer,
		Logger:          logger,
	})
}
