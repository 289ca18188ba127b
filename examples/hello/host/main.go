// This program is a host: it launches the plugin in its argument, and calls it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/examples/hello"
	hellov1 "github.com/jackfield-go/jackfield/examples/proto/hello/v1"
)

func main() {
	flag.Parse()
	cfg := host.Config{
		Handshake: hello.Handshake,
		Versions:  hello.Versions,
		Command:   host.Command(flag.Arg(0)),
		AutoMTLS:  host.MTLSRequired,
	}
	if err := host.With(context.Background(), cfg, greet); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// greet calls the plugin. When it returns, host.With ends the plugin.
func greet(ctx context.Context, client *host.Client) error {
	greeter, err := host.Dispense(ctx, client, hello.Plugin)
	if err != nil {
		return err
	}
	resp, err := greeter.Greet(ctx, &hellov1.GreetRequest{Name: "world"})
	if err != nil {
		return err
	}
	fmt.Println(resp.GetText())
	return nil
}
