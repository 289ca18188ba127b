// This program is a host of key-value stores in a module of its own, with the code
// that protos_test.go generates there. It uses the store that a plugin in Python
// serves, the one behind the plugin's broker, and what the plugin prints.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"

	kvv1 "example.org/kv/gen/kv/v1"
)

// brokered is the ID at which the plugin serves its second store.
const brokered = 1

func main() {
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// store is a dispensed store, and the broker of its plugin.
type store struct {
	kvv1.StoreServiceClient

	broker *transportgrpc.Broker
}

// plugin is the name of the store and its types: this program has no server side.
var plugin = core.DefineSides[kvv1.StoreServiceServer, store]("store")

func newStore(b *transportgrpc.Broker, conn grpc.ClientConnInterface) (store, error) {
	return store{kvv1.NewStoreServiceClient(conn), b}, nil
}

func run(ctx context.Context, script string) (err error) {
	var printed bytes.Buffer
	client, err := host.Launch(ctx, host.Config{
		Handshake: core.Handshake{MagicCookieKey: "JACKFIELD_KV_PLUGIN", MagicCookieValue: "c04d2f1e"},
		Versions:  core.Versions{1: {transportgrpc.New(transportgrpc.Carry(plugin, nil, newStore))}},
		Command:   host.Command("python3", script),
		Stdout:    &printed,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.Close()) }()

	if err := client.Ping(ctx); err != nil {
		return err
	}
	s, err := host.Dispense(ctx, client, plugin)
	if err != nil {
		return err
	}
	if err := use(ctx, "the plugin's store", s); err != nil {
		return err
	}
	further, err := transportgrpc.Borrow(ctx, s.broker, brokered, kvv1.NewStoreServiceClient)
	if err != nil {
		return err
	}
	if err := use(ctx, "the brokered store", further); err != nil {
		return err
	}
	if err := client.Close(); err != nil {
		return err
	}
	fmt.Printf("printed: %s", &printed)
	fmt.Println("the plugin has left")
	return nil
}

func use(ctx context.Context, name string, s kvv1.StoreServiceClient) error {
	if _, err := s.Put(ctx, &kvv1.PutRequest{Key: "colour", Value: []byte("blue")}); err != nil {
		return err
	}
	colour, err := s.Get(ctx, &kvv1.GetRequest{Key: "colour"})
	if err != nil {
		return err
	}
	fmt.Printf("%s: the colour is %s\n", name, colour.GetValue())

	_, err = s.Get(ctx, &kvv1.GetRequest{Key: "size"})
	if status.Code(err) != codes.NotFound {
		return fmt.Errorf("%s has no size, and answers %w", name, err)
	}
	return nil
}
