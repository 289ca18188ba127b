// This program is a plugin. With -debug it serves without a host, for a debugger.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/examples/hello"
	hellov1 "github.com/jackfield-go/jackfield/examples/proto/hello/v1"
)

type greeter struct {
	hellov1.UnimplementedHelloServiceServer
}

func (greeter) Greet(_ context.Context, req *hellov1.GreetRequest) (*hellov1.GreetResponse, error) {
	return &hellov1.GreetResponse{Text: "Hello, " + req.GetName() + "!"}, nil
}

func main() {
	debug := flag.Bool("debug", false, "serve without a host, and print the line to start one with")
	flag.Parse()
	cfg := plugin.Config{
		Handshake:  hello.Handshake,
		Versions:   hello.Versions,
		Implements: hello.Plugin.Bind(greeter{}),
	}
	if !*debug {
		plugin.Serve(cfg)
		return
	}
	if err := serveDebug(cfg); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serveDebug serves until Ctrl-C, and prints the line to paste before a host starts.
func serveDebug(cfg plugin.Config) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return plugin.ServeDebug(ctx, cfg, func(data handshake.Reattach) {
		line, err := handshake.ExportReattach("HELLO_REATTACH", map[string]handshake.Reattach{"hello": data})
		if err != nil {
			line = err.Error()
		}
		fmt.Println(line)
	})
}
