package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/pluginpb"
)

// asGenerator, if set, makes the test binary act as the generator.
const asGenerator = "PROTOC_GEN_GO_PRIVATE_TEST"

func TestMain(m *testing.M) {
	switch os.Getenv(asGenerator) {
	case "":
		os.Exit(m.Run())
	case "list":
		os.Exit(listFiles(os.Stdin, os.Stdout))
	case "noise":
		os.Stdout.WriteString("not a response")
	default:
		os.Exit(3)
	}
}

// listFiles is a generator that outputs the names of the requested files.
func listFiles(in io.Reader, out io.Writer) int {
	data, err := io.ReadAll(in)
	if err != nil {
		return 4
	}
	var req pluginpb.CodeGeneratorRequest
	if err := proto.Unmarshal(data, &req); err != nil {
		return 5
	}
	data, err = proto.Marshal(&pluginpb.CodeGeneratorResponse{File: []*pluginpb.CodeGeneratorResponse_File{{
		Name:    new("list"),
		Content: new(strings.Join(req.GetFileToGenerate(), "\n")),
	}}})
	if err != nil {
		return 6
	}
	if _, err := out.Write(data); err != nil {
		return 7
	}

	return 0
}

func TestRunHandsTheRenamedRequestToTheGenerator(t *testing.T) {
	t.Setenv(asGenerator, "list")
	data, err := proto.Marshal(request(t))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	args := []string{"-package", "plug", "-as", "our.plug", os.Args[0], "-with", "arguments"}
	if err := run(t.Context(), args, bytes.NewReader(data), &out); err != nil {
		t.Fatal(err)
	}
	var resp pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(out.Bytes(), &resp); err != nil {
		t.Fatal(err)
	}
	const want = "our/plug/a.proto\nplug/in/b.proto"
	if len(resp.GetFile()) != 1 || resp.GetFile()[0].GetContent() != want {
		t.Errorf("got %v, want one file with %q", resp.GetFile(), want)
	}
}

func TestRunReportsErrors(t *testing.T) {
	names := []string{"-package", "plug", "-as", "our.plug"}
	for _, test := range []struct {
		name      string
		generator string
		args      []string
		input     string
		want      string
	}{
		{name: "no generator", args: names, want: "usage"},
		{name: "no package", args: []string{"-as", "our.plug", os.Args[0]}, want: "usage"},
		{name: "an unknown flag", args: []string{"-no-such-flag"}, want: "no-such-flag"},
		{name: "an unreadable request", args: append(names, os.Args[0]), input: "\xff", want: "read the request"},
		{name: "a generator that does not exist", args: append(names, "no-such-generator"), want: "run no-such-generator"},
		{name: "a generator that fails", generator: "fail", args: append(names, os.Args[0]), want: "exit status 3"},
		{name: "a generator with an invalid response", generator: "noise", args: append(names, os.Args[0]), want: "read the response"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv(asGenerator, test.generator)
			err := run(t.Context(), test.args, strings.NewReader(test.input), io.Discard)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error containing %q", err, test.want)
			}
		})
	}
}
