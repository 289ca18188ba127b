package main

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// request is a compiler's request for two packages. The second uses the first, and its name
// begins like the first's.
func request(t *testing.T) *pluginpb.CodeGeneratorRequest {
	t.Helper()
	const text = `
		file_to_generate: "plug/a.proto"
		file_to_generate: "plug/in/b.proto"
		proto_file {
			name: "plug/a.proto" package: "plug" syntax: "proto3"
			message_type {
				name: "Outer"
				field { name: "inner" number: 1 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".plug.Outer.Inner" json_name: "inner" }
				field { name: "kind" number: 2 label: LABEL_OPTIONAL type: TYPE_ENUM type_name: ".plug.Kind" json_name: "kind" }
				nested_type { name: "Inner" }
			}
			enum_type { name: "Kind" value { name: "NONE" number: 0 } }
			service { name: "Service" method { name: "Call" input_type: ".plug.Outer" output_type: ".plug.Outer" } }
			source_code_info {
				location { path: [4, 0] span: [1, 0, 2] leading_comments: "a message" }
				location { path: [6, 0] span: [3, 0, 2] leading_comments: "a service" }
				location { path: [6, 0, 2, 0] span: [4, 0, 2] leading_comments: "a method" }
			}
		}
		proto_file {
			name: "plug/in/b.proto" package: "plug.in" syntax: "proto3" dependency: "plug/a.proto"
			message_type {
				name: "User"
				field { name: "outer" number: 1 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".plug.Outer" json_name: "outer" }
				field { name: "own" number: 2 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".plug.in.Own" json_name: "own" }
			}
			message_type { name: "Own" }
			service { name: "UserService" method { name: "Call" input_type: ".plug.in.Own" output_type: ".plug.Outer" } }
		}
	`
	req := new(pluginpb.CodeGeneratorRequest)
	if err := prototext.Unmarshal([]byte(text), req); err != nil {
		t.Fatal(err)
	}
	req.SourceFileDescriptors = []*descriptorpb.FileDescriptorProto{req.GetProtoFile()[0]}

	return req
}

func TestRenamingMovesFilesAndTypes(t *testing.T) {
	req := request(t)
	names, err := newRenaming("plug", "our.plug", req)
	if err != nil {
		t.Fatal(err)
	}
	names.request(req)

	a, b := req.GetProtoFile()[0], req.GetProtoFile()[1]
	for _, test := range []struct{ what, got, want string }{
		{"the first file to generate", req.GetFileToGenerate()[0], "our/plug/a.proto"},
		{"the second file to generate", req.GetFileToGenerate()[1], "plug/in/b.proto"},
		{"the file", a.GetName(), "our/plug/a.proto"},
		{"its package", a.GetPackage(), "our.plug"},
		{"a nested message", a.GetMessageType()[0].GetField()[0].GetTypeName(), ".our.plug.Outer.Inner"},
		{"an enum", a.GetMessageType()[0].GetField()[1].GetTypeName(), ".our.plug.Kind"},
		{"the other file", b.GetName(), "plug/in/b.proto"},
		{"its package", b.GetPackage(), "plug.in"},
		{"its import", b.GetDependency()[0], "our/plug/a.proto"},
		{"its use of the package", b.GetMessageType()[0].GetField()[0].GetTypeName(), ".our.plug.Outer"},
		{"its use of itself", b.GetMessageType()[0].GetField()[1].GetTypeName(), ".plug.in.Own"},
		{"its method's argument", b.GetService()[0].GetMethod()[0].GetInputType(), ".plug.in.Own"},
		{"its method's result", b.GetService()[0].GetMethod()[0].GetOutputType(), ".our.plug.Outer"},
	} {
		if test.got != test.want {
			t.Errorf("%s: got %q, want %q", test.what, test.got, test.want)
		}
	}
	if len(req.GetSourceFileDescriptors()) != 0 {
		t.Error("the request still contains the old file names")
	}
	if _, err := protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: req.GetProtoFile()}); err != nil {
		t.Errorf("the renamed files do not link: %v", err)
	}
}

func TestRenamingDropsServicesWithTheirComments(t *testing.T) {
	req := request(t)
	names, err := newRenaming("plug", "our.plug", req)
	if err != nil {
		t.Fatal(err)
	}
	names.request(req)

	a := req.GetProtoFile()[0]
	if len(a.GetService()) != 0 {
		t.Errorf("%d services are left", len(a.GetService()))
	}
	if locations := a.GetSourceCodeInfo().GetLocation(); len(locations) != 1 || locations[0].GetLeadingComments() != "a message" {
		t.Errorf("got the comments %v, want only the message's", locations)
	}
	if len(req.GetProtoFile()[1].GetService()) != 1 {
		t.Error("the renaming dropped the service of another package")
	}
}

func TestRenamingLeavesOtherPackagesAlone(t *testing.T) {
	req := request(t)
	names, err := newRenaming("plu", "our.plu", req)
	if err != nil {
		t.Fatal(err)
	}
	names.request(req)

	want := request(t)
	want.SourceFileDescriptors = nil
	if !proto.Equal(req, want) {
		t.Errorf("got %v, want %v", req, want)
	}
}

func TestRenamingRefusesTwoFilesUnderOneName(t *testing.T) {
	for _, test := range []struct{ name, file, pkg string }{
		{"two files of the package", "elsewhere/a.proto", "plug"},
		{"a file of another package", "our/plug/a.proto", "our.plug"},
	} {
		t.Run(test.name, func(t *testing.T) {
			req := request(t)
			req.ProtoFile = append(req.ProtoFile, &descriptorpb.FileDescriptorProto{
				Name: new(test.file), Package: new(test.pkg),
			})
			if _, err := newRenaming("plug", "our.plug", req); err == nil || !strings.Contains(err.Error(), "plug/a.proto") {
				t.Errorf("got %v, want an error naming plug/a.proto", err)
			}
		})
	}
}

func TestResponseNamesTheSourceThatExists(t *testing.T) {
	names, err := newRenaming("plug", "our.plug", request(t))
	if err != nil {
		t.Fatal(err)
	}
	resp := &pluginpb.CodeGeneratorResponse{File: []*pluginpb.CodeGeneratorResponse_File{
		{Name: new("a.pb.go"), Content: new("// Code generated\n// source: our/plug/a.proto\n\npackage plugpb\n")},
		{Name: new("b.pb.go"), Content: new("// Code generated\n// source: plug/in/b.proto\n\npackage inpb\n")},
	}}
	names.response(resp)

	for i, want := range []string{"// source: plug/a.proto\n", "// source: plug/in/b.proto\n"} {
		if got := resp.GetFile()[i].GetContent(); !strings.Contains(got, want) {
			t.Errorf("got %q, want it to contain %q", got, want)
		}
	}
}
