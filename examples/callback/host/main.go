// This program is a host with callbacks: it passes an interface and a reader of
// its own to the plugin named by its argument.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/examples/callback/counter"
)

// text is in this process's memory; the plugin reads it.
const text = "the host has this text, and the plugin reads it"

// adder runs in the host. It prints its process ID.
type adder struct{}

func (adder) Sum(_ context.Context, a, b int) (int, error) {
	if a+b > 10 {
		return 0, errors.New("the host counts to ten only")
	}
	fmt.Printf("called back in process %d: %d and %d make %d\n", os.Getpid(), a, b, a+b)
	return a + b, nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: host path/to/counter-plugin")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, path string) error {
	cfg := host.Config{
		Handshake: counter.Handshake,
		Versions:  counter.Versions,
		Command:   host.Command(path),
		AutoMTLS:  host.MTLSRequired,
	}
	if err := host.With(ctx, cfg, count); err != nil {
		return err
	}
	fmt.Println("the plugin has left")
	return nil
}

// count lets the plugin count, and add with this host's adder.
func count(ctx context.Context, client *host.Client) error {
	fmt.Printf("the host is process %d, the plugin process %s\n", os.Getpid(), client.ID())

	c, err := host.Dispense(ctx, client, counter.Plugin)
	if err != nil {
		return err
	}
	for _, n := range []int{2, 5} {
		sum, err := c.Add(ctx, "apples", n, adder{})
		if err != nil {
			return err
		}
		fmt.Printf("the plugin answers: %d apples\n", sum)
	}
	_, err = c.Add(ctx, "apples", 5, adder{})
	fmt.Println("the host's own error, by way of the plugin:", err)

	words, err := c.CountWords(ctx, strings.NewReader(text))
	if err != nil {
		return err
	}
	fmt.Printf("the plugin has read %d words\n", words)
	return nil
}
