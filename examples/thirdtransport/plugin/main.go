// This program is a plugin that is called in lines of JSON.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/examples/thirdtransport/shout"
)

type crier struct{}

func (crier) Shout(_ context.Context, text string) (string, error) {
	if text == "" {
		return "", errors.New("there is nothing to shout")
	}
	fmt.Println("printed: a deep breath") // goes over the connection too
	return strings.ToUpper(text) + "!", nil
}

func main() {
	plugin.Serve(plugin.Config{
		Handshake:  shout.Handshake,
		Versions:   shout.Versions,
		Implements: shout.Plugin.Bind(crier{}),
	})
}
