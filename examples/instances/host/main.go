// This program is a host that opens several instances in one process of the plugin named by its
// argument.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/examples/instances/tally"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: host path/to/tally-plugin")
		os.Exit(2)
	}
	cfg := host.Config{
		Handshake: tally.Handshake,
		Versions:  tally.Versions,
		Command:   host.Command(os.Args[1]),
		AutoMTLS:  host.MTLSRequired,
	}
	if err := host.With(context.Background(), cfg, count); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// count lets two instances count, and closes one of them.
func count(ctx context.Context, client *host.Client) error {
	opener, err := host.Dispense(ctx, client, tally.Plugin)
	if err != nil {
		return err
	}
	apples, err := opener.Open(ctx, 0)
	if err != nil {
		return err
	}
	pears, err := opener.Open(ctx, 100)
	if err != nil {
		return err
	}
	for _, t := range []tally.Tally{apples, pears, apples, pears} {
		sum, err := t.Add(ctx, 2)
		if err != nil {
			return err
		}
		fmt.Println("the sum is", sum)
	}
	if err := apples.Close(ctx); err != nil {
		return err
	}
	_, err = apples.Add(ctx, 2)
	fmt.Println("after the close:", err)
	sum, err := pears.Add(ctx, 2)
	fmt.Println("the other one:", sum, err)
	return pears.Close(ctx)
}
