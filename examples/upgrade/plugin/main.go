// This program is a plugin that outlives its host: it counts the greetings over all of them.
package main

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/examples/hello"
	hellov1 "github.com/jackfield-go/jackfield/examples/proto/hello/v1"
)

type greeter struct {
	hellov1.UnimplementedHelloServiceServer

	count atomic.Int64
}

func (g *greeter) Greet(_ context.Context, req *hellov1.GreetRequest) (*hellov1.GreetResponse, error) {
	return &hellov1.GreetResponse{Text: fmt.Sprintf("Hello, %s, the guest %d!", req.GetName(), g.count.Add(1))}, nil
}

func main() {
	plugin.Serve(plugin.Config{
		Handshake:  hello.Handshake,
		Versions:   hello.Versions,
		Implements: hello.Plugin.Bind(new(greeter)),
		Outlive:    true,
	})
}
