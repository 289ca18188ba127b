// Command protoc-gen-go-jackfield is a plugin for protoc and buf. For each .proto file with
// services it writes x_jackfield.pb.go beside x.pb.go and x_grpc.pb.go. That file has a plain
// Go interface for each service, the code between it and gRPC, and functions to start plugins
// and hosts.
//
// The page docs/generating.md of the repository explains its parameters and the options of
// jackfield/plugin/v1/options.proto.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/pluginpb"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "protoc-gen-go-jackfield:", err)
		os.Exit(1)
	}
}

// run is the whole program: it reads a CodeGeneratorRequest from in and writes a
// CodeGeneratorResponse to out. Errors in .proto files are part of the response.
func run(args []string, in io.Reader, out io.Writer) error {
	switch {
	case len(args) == 1 && args[0] == "--version":
		_, err := fmt.Fprintln(out, "protoc-gen-go-jackfield", version())
		return err
	case len(args) > 0:
		return fmt.Errorf("unknown argument %q: protoc or buf starts this program; only --version is for people", args[0])
	}
	data, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	var req pluginpb.CodeGeneratorRequest
	if err := proto.Unmarshal(data, &req); err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	resp, err := respond(&req)
	if err != nil {
		return err
	}
	data, err = proto.Marshal(resp)
	if err != nil {
		return fmt.Errorf("write the response: %w", err)
	}
	_, err = out.Write(data)
	return err
}

// respond generates the files of a request.
func respond(req *pluginpb.CodeGeneratorRequest) (*pluginpb.CodeGeneratorResponse, error) {
	var params parameters
	gen, err := protogen.Options{ParamFunc: params.set}.New(req)
	if err != nil {
		return nil, err
	}
	gen.SupportedFeatures = supportedFeatures
	gen.SupportedEditionsMinimum = editionsMinimum
	gen.SupportedEditionsMaximum = editionsMaximum
	if err := generate(gen, &params); err != nil {
		gen.Error(err)
	}
	return gen.Response(), nil
}

// generate writes a Go file for each .proto file with services or named errors.
func generate(gen *protogen.Plugin, params *parameters) error {
	m, err := newModel(gen, params)
	if err != nil {
		return err
	}
	var failed error
	for _, file := range gen.Files {
		if !file.Generate {
			continue
		}
		f, err := m.file(file)
		failed = errors.Join(failed, err)
		if err == nil && (len(f.services) > 0 || len(f.sentinels) > 0) {
			failed = errors.Join(failed, m.checkNames(f))
			m.write(gen, f)
		}
	}
	return errors.Join(failed, m.checkLent(gen))
}

// version returns the version of the module in the build information, or "(devel)".
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
