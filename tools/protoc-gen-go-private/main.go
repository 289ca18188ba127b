// Command protoc-gen-go-private runs protoc-gen-go, or another generator of messages, so that the Go
// types of one proto package get their protobuf names in another one.
//
//	protoc-gen-go-private -package plugin -as jackfield.plugin protoc-gen-go
//
// The Go runtime of protobuf has one table of names for the whole program, and panics at init when two
// Go packages register the same one. The messages of go-plugin's wire have such names: a program that
// links hashicorp/go-plugin has plugin.ConnInfo in the table already. On the wire, a message's name
// does not appear, only the names of services and methods do. So this program renames the package and
// the files in the request, drops the services, and hands the request to the generator;
// protoc-gen-go-grpc runs on the original, and gives the methods their real paths.
//
// Files of other packages go through as they are, so one entry in buf.gen.yaml serves all files.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/pluginpb"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "protoc-gen-go-private:", err)
		os.Exit(1)
	}
}

// run is the whole of the program: a CodeGeneratorRequest from in, and a CodeGeneratorResponse to out.
func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("protoc-gen-go-private", flag.ContinueOnError)
	from := flags.String("package", "", "the proto package whose names are not to be registered")
	to := flags.String("as", "", "the proto package that its messages are registered in")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *from == "" || *to == "" || flags.NArg() == 0 {
		return errors.New("usage: protoc-gen-go-private -package NAME -as NAME GENERATOR [ARGUMENT...]")
	}

	data, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	var req pluginpb.CodeGeneratorRequest
	if err := proto.Unmarshal(data, &req); err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	names, err := newRenaming(*from, *to, &req)
	if err != nil {
		return err
	}
	names.request(&req)
	resp, err := generate(ctx, flags.Args(), &req)
	if err != nil {
		return err
	}
	names.response(resp)

	data, err = proto.MarshalOptions{Deterministic: true}.Marshal(resp)
	if err != nil {
		return fmt.Errorf("write the response: %w", err)
	}
	_, err = out.Write(data)

	return err
}

// generate runs the generator, which says what is wrong on its standard error or in its response.
func generate(ctx context.Context, command []string, req *pluginpb.CodeGeneratorRequest) (*pluginpb.CodeGeneratorResponse, error) {
	data, err := proto.Marshal(req)
	if err != nil {
		return nil, fmt.Errorf("write the generator's request: %w", err)
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin = bytes.NewReader(data)
	cmd.Stderr = os.Stderr
	data, err = cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", command[0], err)
	}
	var resp pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(data, &resp); err != nil {
		return nil, fmt.Errorf("read the response of %s: %w", command[0], err)
	}

	return &resp, nil
}
