// This program is the subcommand greet, desk-plugin-greet.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/examples/subcommands/command"
)

type greet struct{}

func (greet) Run(_ context.Context, args []string) (status int, err error) {
	if len(args) != 1 || strings.HasPrefix(args[0], "-") {
		fmt.Fprintln(os.Stderr, "usage: desk greet NAME")
		return 2, nil
	}
	fmt.Printf("Hello, %s!\n", args[0])
	return 0, nil
}

func main() {
	plugin.Serve(plugin.Config{
		Handshake:  command.Handshake,
		Versions:   command.Versions,
		Implements: command.Plugin.Bind(greet{}),
		Info:       plugin.Info{Name: "greet", Version: "1.0.0", Summary: "Greet a person"},
	})
}
