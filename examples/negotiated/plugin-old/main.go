// This program is a plugin of version 1: its author has not adopted the new
// interface yet.
package main

import (
	"context"

	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/examples/negotiated/greeter"
)

type english struct{}

func (english) Greet(_ context.Context, name string) (string, error) {
	return "Hello, " + name + "!", nil
}

func main() {
	plugin.Serve(plugin.Config{
		Handshake:  greeter.Handshake,
		Versions:   greeter.Versions1,
		Implements: greeter.Plugin1.Bind(english{}),
		Info:       plugin.Info{Version: "1.3.0"},
	})
}
