// This program is the style checker, on go-plugin: it reads a text from its input and lets
// a rule check it.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/conformance/migrating/before/rules"
)

type printer struct{}

func (printer) Report(line int, fault string) error {
	_, err := fmt.Printf("line %d: %s\n", line, fault)
	return err
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: host path/to/rule <text")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(path string) error {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  rules.Handshake,
		Plugins:          rules.Plugins(nil),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Cmd:              exec.Command(path),
		AutoMTLS:         true,
		Logger:           hclog.New(&hclog.LoggerOptions{Name: "style", Output: os.Stderr, Level: hclog.Info}),
	})
	defer client.Kill()
	protocol, err := client.Client()
	if err != nil {
		return err
	}
	dispensed, err := protocol.Dispense(rules.Name)
	if err != nil {
		return err
	}
	rule, ok := dispensed.(rules.Rule)
	if !ok {
		return errors.New("the plugin is not a rule")
	}

	faults, err := rule.Check(string(text), printer{})
	if err != nil {
		return err
	}
	fmt.Println("faults:", faults)
	_, err = rule.Check("", printer{})
	fmt.Println("without a text:", err)
	return nil
}
