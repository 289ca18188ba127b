package yamux_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackfield-go/jackfield/yamux"
)

// Two sessions share a connection: one asks, the other answers.
func Example() {
	ctx := context.Background()
	here, there := net.Pipe()
	client, err := yamux.Client(here, yamux.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	server, err := yamux.Server(there, yamux.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	defer server.Close()

	go func() {
		stream, err := server.Accept(ctx)
		if err != nil {
			return
		}
		defer stream.Close()
		question, _ := io.ReadAll(stream)
		fmt.Fprintf(stream, "you asked: %s", question)
	}()

	stream, err := client.Open(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stream.Close()
	fmt.Fprint(stream, "who is there?")
	stream.CloseWrite() // the end of the question
	answer, err := io.ReadAll(stream)
	fmt.Println(string(answer), err)
	// Output: you asked: who is there? <nil>
}

// Acknowledged distinguishes an accepted stream from a waiting stream.
func ExampleStream_Acknowledged() {
	ctx := context.Background()
	here, there := net.Pipe()
	client, _ := yamux.Client(here, yamux.Config{})
	server, _ := yamux.Server(there, yamux.Config{})
	defer client.Close()
	defer server.Close()

	stream, err := client.Open(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() { _, _ = server.Accept(ctx) }()
	fmt.Println(stream.Acknowledged(ctx))
	// Output: <nil>
}

// Err gives the reason of a session's end; its operations return
// ErrSessionClosed for every reason.
func ExampleSession_Err() {
	here, there := net.Pipe()
	client, _ := yamux.Client(here, yamux.Config{})
	defer client.Close()
	there.Close()

	_, err := client.Accept(context.Background())
	fmt.Println(errors.Is(err, yamux.ErrSessionClosed), client.Err())
	// Output: true EOF
}
