// This program is a host with a transport of its own. Launch, TLS, logs, errors and
// the end are core's, as with any other.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/examples/thirdtransport/shout"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: host path/to/shout-plugin")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, path string) error {
	cfg := host.Config{
		Handshake: shout.Handshake,
		Versions:  shout.Versions,
		Command:   host.Command(path),
		AutoMTLS:  host.MTLSRequired,
		Outputs:   host.Outputs{PrintedStdout: os.Stdout},
	}
	if err := host.With(ctx, cfg, call); err != nil {
		return err
	}
	fmt.Println("the plugin has left")
	return nil
}

// call has the plugin shout.
func call(ctx context.Context, client *host.Client) error {
	fmt.Printf("%s speaks %s\n", client.Name(), client.Protocol())

	shouter, err := host.Dispense(ctx, client, shout.Plugin)
	if err != nil {
		return err
	}
	shouted, err := shouter.Shout(ctx, "hear ye")
	if err != nil {
		return err
	}
	fmt.Println("the plugin shouts:", shouted)

	_, err = shouter.Shout(ctx, "")
	fmt.Println("an error crosses too:", err)
	return nil
}
