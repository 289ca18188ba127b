// This program is a plugin of the key-value host, over net/rpc.
package main

import (
	"log/slog"
	"os"

	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/examples/grpc/kv"
	"github.com/jackfield-go/jackfield/examples/grpc/kv/kvnetrpc"
	"github.com/jackfield-go/jackfield/examples/grpc/memory"
)

func main() {
	logger := slog.New(plugin.NewLogHandler(os.Stderr, plugin.LogOptions{Name: "kv"}))
	plugin.Serve(plugin.Config{
		Handshake:  kv.Handshake,
		Versions:   kv.Versions(kvnetrpc.Transport),
		Implements: kv.Plugin.Bind(memory.New(logger)),
	})
}
