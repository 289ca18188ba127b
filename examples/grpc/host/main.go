// This program is the host of key-value stores. It launches each plugin named
// by its arguments and runs the same calls with all of them, in any language
// and over either protocol.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/examples/grpc/kv"
	"github.com/jackfield-go/jackfield/examples/grpc/kv/kvgrpc"
	"github.com/jackfield-go/jackfield/examples/grpc/kv/kvnetrpc"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: host path/to/kv-plugin...")
		os.Exit(2)
	}
	for _, path := range os.Args[1:] {
		if err := run(context.Background(), path); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(1)
		}
	}
}

func run(ctx context.Context, path string) error {
	cfg := host.Config{
		Handshake: kv.Handshake,
		Versions:  kv.Versions(kvgrpc.Transport, kvnetrpc.Transport),
		Command:   command(path),
		AutoMTLS:  host.MTLSRequired,
		Name:      filepath.Base(path),
		Logger:    slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: stable})),
	}
	if err := host.With(ctx, cfg, open); err != nil {
		return err
	}
	fmt.Println("the plugin has left")
	return nil
}

// open gets the store from the plugin.
func open(ctx context.Context, client *host.Client) error {
	fmt.Printf("%s speaks %s\n", client.Name(), client.Protocol())

	store, err := host.Dispense(ctx, client, kv.Plugin)
	if err != nil {
		return err
	}
	return use(ctx, store)
}

// use is the application: it does not know the store's implementation.
func use(ctx context.Context, store kv.Store) error {
	if err := store.Put(ctx, "colour", []byte("blue")); err != nil {
		return err
	}
	value, err := store.Get(ctx, "colour")
	if err != nil {
		return err
	}
	fmt.Printf("the colour is %s\n", value)

	_, err = store.Get(ctx, "size")
	if !errors.Is(err, kv.ErrNotFound) {
		return fmt.Errorf("there is no size, and Get answers %w", err)
	}
	fmt.Println("the size:", err)
	return nil
}

// command returns a plugin's command. It starts a script by its interpreter,
// since not every system reads a script's first line.
func command(path string) host.Cmd {
	switch filepath.Ext(path) {
	case ".py":
		return host.Command("python3", path)
	case ".js":
		return host.Command("node", path)
	default:
		return host.Command(path)
	}
}

// stable removes the time and the path of the plugin from the log, for a stable output.
func stable(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey || a.Key == "plugin_path" {
		return slog.Attr{}
	}
	return a
}
