// This program is a host: it attaches to the plugin in the variable HELLO_REATTACH, or launches the
// one in its argument, and calls it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/examples/hello"
	hellov1 "github.com/jackfield-go/jackfield/examples/proto/hello/v1"
)

func main() {
	flag.Parse()
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	client, err := open(ctx, "hello", host.Config{
		Handshake: hello.Handshake,
		Versions:  hello.Versions,
		Command:   host.Command(flag.Arg(0)),
		AutoMTLS:  host.MTLSRequired,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.Close()) }() // a plugin in a debugger is left alone
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

// open attaches to a plugin if a person has set the variable, and launches one otherwise.
func open(ctx context.Context, name string, cfg host.Config) (*host.Client, error) {
	plugins, err := handshake.ParseReattach(os.Getenv("HELLO_REATTACH"))
	if err != nil {
		return nil, err
	}
	data, ok := plugins[name]
	if !ok {
		return host.Launch(ctx, cfg)
	}
	cfg.AutoMTLS = host.MTLSPreferred // a plugin in a debugger has no certificate
	return host.Attach(ctx, cfg, data)
}
