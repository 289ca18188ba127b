package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

var oldNames, newNames = names{oldPath, "buf.build/old/name"}, names{newPath, "buf.build/acme/panel"}

// file describes a .proto file as in buf's image, for a repository with these names.
func file(of names) *descriptorpb.FileDescriptorProto {
	file := &descriptorpb.FileDescriptorProto{
		Name:        new("a.proto"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: new("Message")}},
		Options:     &descriptorpb.FileOptions{GoPackage: new(of.path + "/a;apb"), JavaPackage: new("com.example.com/old/name")},
		Syntax:      new("proto3"),
	}
	id := encodeBufModule(of.buf)
	info := protowire.AppendBytes(protowire.AppendTag(nil, bufModuleID, protowire.BytesType), id)
	extension := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 0)
	extension = protowire.AppendBytes(protowire.AppendTag(extension, bufModuleInfo, protowire.BytesType), info)
	file.ProtoReflect().SetUnknown(protowire.AppendBytes(protowire.AppendTag(nil, bufExtension, protowire.BytesType), extension))
	return file
}

func marshal(t *testing.T, message proto.Message) []byte {
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestDescriptorsChangeOnlyGoPackageAndModule(t *testing.T) {
	other := &descriptorpb.FileDescriptorProto{Name: new("example.com/old/name.proto"), Options: &descriptorpb.FileOptions{GoPackage: new("example.net/b")}}
	set := func(of names) []byte {
		return marshal(t, &descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{file(of), other}})
	}
	got, err := newRenaming(oldNames, newNames).descriptors(set(oldNames))
	if err != nil {
		t.Fatal(err)
	}
	if want := set(newNames); !bytes.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestPythonCodeGetsTheNewGoPackage(t *testing.T) {
	code := func(of names) string {
		file := file(of)
		file.ProtoReflect().SetUnknown(nil) // protoc's files have no module
		return "pool.AddSerializedFile(b'" + string(escape(marshal(t, file))) + "')\n" +
			"  _A._serialized_options = b'8\\001'\n" +
			"  DESCRIPTOR._serialized_options = b'" + string(escape(marshal(t, file.GetOptions()))) + "'\n"
	}
	got, err := newRenaming(oldNames, newNames).python([]byte(code(oldNames)))
	if err != nil {
		t.Fatal(err)
	}
	if want := code(newNames); string(got) != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// The code of the examples is protoc's output.
func TestEscapeWritesWhatProtocWrote(t *testing.T) {
	files, err := filepath.Glob(filepath.FromSlash("../../examples/python/generated/*/*/*_pb2.py"))
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range pythonFile.FindAllSubmatch(text, -1) {
			message, err := unescape(string(match[1]))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if err := proto.Unmarshal(message, new(descriptorpb.FileDescriptorProto)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got := escape(message); !bytes.Equal(got, match[1]) {
				t.Errorf("%s:\n%s\nwant:\n%s", name, got, match[1])
			}
			tried++
		}
	}
	if tried == 0 {
		t.Error("no descriptor in the code of the examples")
	}
}
