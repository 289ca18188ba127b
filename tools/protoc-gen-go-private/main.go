// Command protoc-gen-go-private runs protoc-gen-go, or another generator of messages, and
// gives the Go types of one proto package protobuf names in another package.
//
//	protoc-gen-go-private -package plugin -as jackfield.plugin protoc-gen-go
//
// The Go runtime of protobuf has one table of names for the whole program. It panics at
// init if two Go packages register the same name. The messages of go-plugin's wire have
// such names: a program linked with hashicorp/go-plugin already has plugin.ConnInfo in the
// table. A message's name does not appear on the wire; only the names of services and
// methods do. So this program renames the package and the files in the request, drops the
// services, and passes the request to the generator. protoc-gen-go-grpc runs on the
// original, and so the methods keep their real paths.
//
// Files of other packages pass through unchanged, so one entry in buf.gen.yaml serves all
// files.
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

// run is the whole program: it reads a CodeGeneratorRequest from in and writes a
// CodeGeneratorResponse to out.
func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("protoc-gen-go-private", flag.ContinueOnError)
	from := flags.String("package", "", "the proto package to rename")
	to := flags.String("as", "", "the proto package for its messages in the Go registry")
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

// generate runs the generator. The generator reports errors on its standard error or in its
// response.
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
