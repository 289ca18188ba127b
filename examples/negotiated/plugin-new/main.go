// This program is a plugin of version 2. Hosts of version 1 can use it too, from release 2 on.
package main

import (
	"context"
	"fmt"

	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/examples/negotiated/greeter"
)

// polyglot has its greetings by language.
type polyglot map[string]string

func (p polyglot) Greet(_ context.Context, name, language string) (string, error) {
	form, ok := p[language]
	if !ok {
		return "", greeter.ErrLanguage
	}
	return fmt.Sprintf(form, name), nil
}

func main() {
	plugin.Serve(plugin.Config{
		Handshake:   greeter.Handshake,
		Versions:    greeter.Versions,
		Implements:  greeter.Plugin.Bind(polyglot{greeter.English: "Good day, %s!", "fr": "Bonjour, %s !"}),
		Info:        plugin.Info{Version: "2.0.1"},
		RequireHost: ">= 2",
	})
}
