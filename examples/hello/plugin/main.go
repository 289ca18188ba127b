// This program is a plugin: it implements the service.
package main

import (
	"context"

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
	plugin.Serve(plugin.Config{
		Handshake:  hello.Handshake,
		Versions:   hello.Versions,
		Implements: hello.Plugin.Bind(greeter{}),
	})
}
