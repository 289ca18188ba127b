// This program is a plugin of the greeting host: it implements the interface and
// serves it.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/examples/basic/greeter"
)

type english struct{ logger *slog.Logger }

func (e english) Greet(_ context.Context, name string) (string, error) {
	e.logger.Info("asked for a greeting", "name", name) // goes to the host's log
	if name == "" {
		return "", errors.New("nobody to greet")
	}
	fmt.Println("a plugin may print") // the host receives this too
	return "Hello, " + name + "!", nil
}

func main() {
	logger := slog.New(plugin.NewLogHandler(os.Stderr, plugin.LogOptions{}))
	plugin.Serve(plugin.Config{
		Handshake:  greeter.Handshake,
		Versions:   greeter.Versions,
		Implements: greeter.Plugin.Bind(english{logger}),
	})
}
