package reflection

import (
	"os"
	"strings"
	"testing"

	_ "google.golang.org/grpc/channelz/grpc_channelz_v1"
	_ "google.golang.org/grpc/health/grpc_health_v1"
	_ "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/runtime/protoimpl"
	"google.golang.org/protobuf/types/descriptorpb"
	_ "google.golang.org/protobuf/types/gofeaturespb"
	_ "google.golang.org/protobuf/types/known/apipb"
	_ "google.golang.org/protobuf/types/known/fieldmaskpb"
	_ "google.golang.org/protobuf/types/known/sourcecontextpb"
	_ "google.golang.org/protobuf/types/known/structpb"
	_ "google.golang.org/protobuf/types/known/timestamppb"
	_ "google.golang.org/protobuf/types/known/typepb"
	_ "google.golang.org/protobuf/types/known/wrapperspb"
	_ "google.golang.org/protobuf/types/pluginpb"

	_ "github.com/jackfield-go/jackfield/proto/streampb"
	_ "github.com/jackfield-go/jackfield/transport-grpc/internal/probepb"
)

func TestLinkedFilesAreDescribedAsProtodescDescribesThem(t *testing.T) {
	count := 0
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		count++
		t.Run(file.Path(), func(t *testing.T) {
			checkDescribed(t, file, protodesc.ToFileDescriptorProto(file), protoregistry.GlobalFiles)
		})
		return true
	})
	if count < 20 {
		t.Errorf("only %d files are linked into this test", count)
	}
}

// testdata/odd has what is rare: groups, required fields, defaults of all kinds,
// message sets, extensions of everything, reservations, editions.
//
//go:generate ../../../bin/buf build testdata/odd --exclude-imports --exclude-source-info --as-file-descriptor-set -o testdata/odd.binpb
func TestOddFilesAreDescribedAsTheCompilerDescribedThem(t *testing.T) {
	for _, way := range []struct {
		name  string
		build func(*testing.T, *descriptorpb.FileDescriptorProto, *protoregistry.Files)
	}{{"decoded at run time", decodeFile}, {"linked", linkFile}} {
		t.Run(way.name, func(t *testing.T) {
			set := oddSet(t)
			files := new(protoregistry.Files)
			for _, file := range set.GetFile() {
				way.build(t, file, files)
			}
			for _, want := range set.GetFile() {
				t.Run(want.GetName(), func(t *testing.T) { checkOdd(t, files, want) })
			}
		})
	}
}

func checkOdd(t *testing.T, files *protoregistry.Files, want *descriptorpb.FileDescriptorProto) {
	t.Helper()
	file, err := files.FindFileByPath(want.GetName())
	if err != nil {
		t.Fatal(err)
	}
	if want.GetSyntax() == "proto2" {
		want.Syntax = nil // the same
	}
	checkDescribed(t, file, want, both{files, protoregistry.GlobalFiles})
	checkDescribed(t, file, protodesc.ToFileDescriptorProto(file), both{files, protoregistry.GlobalFiles})
}

func TestHandwrittenFilesAreDescribedAsTheyAre(t *testing.T) {
	for _, test := range []struct{ name, text string }{
		{"nothing", `name: "empty.proto"`},
		{"source info", `
			name: "source.proto"
			message_type { name: "M" }
			source_code_info {
				location { path: [4, 0] span: [1, 2, 3] leading_comments: "one" trailing_comments: "two" }
				location { path: [4, 0, 1] span: [1, 2, 4, 3] leading_detached_comments: ["a", "b"] }
				location { span: [0, 0, 9, 1] }
			}`},
		{"public imports", `
			name: "imports.proto"
			dependency: ["google/protobuf/any.proto", "google/protobuf/empty.proto", "google/protobuf/api.proto"]
			public_dependency: [0, 2]`},
		// In testdata/odd they would be what buf writes, which is the double that a float is equal to.
		{"defaults of floats, as protoc has them", `
			name: "floats.proto"
			message_type {
				name: "M"
				field { name: "a" number: 1 label: LABEL_OPTIONAL type: TYPE_FLOAT default_value: "0.1" }
				field { name: "b" number: 2 label: LABEL_OPTIONAL type: TYPE_FLOAT default_value: "1e-45" }
				field { name: "c" number: 3 label: LABEL_OPTIONAL type: TYPE_DOUBLE default_value: "0.1" }
				field { name: "d" number: 4 label: LABEL_OPTIONAL type: TYPE_DOUBLE default_value: "5e-324" }
				field { name: "e" number: 5 label: LABEL_OPTIONAL type: TYPE_DOUBLE default_value: "-0" }
			}`},
		{"what is not linked", `
			name: "unlinked.proto"
			package: "p"
			dependency: "not/linked.proto"
			option_dependency: ["not/linked/options.proto"]
			syntax: "editions"
			edition: EDITION_2024
			message_type {
				name: "M"
				field { name: "message" number: 1 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".other.M" json_name: "message" }
				field { name: "part" number: 2 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: "other.M" json_name: "part" }
				field { name: "enum" number: 3 label: LABEL_REPEATED type: TYPE_ENUM type_name: ".other.E" }
				field { name: "default" number: 4 label: LABEL_OPTIONAL type: TYPE_ENUM type_name: ".other.E" default_value: "SOME" }
				field { name: "any" number: 5 label: LABEL_OPTIONAL type_name: ".other.X" }
			}
			extension { name: "x" number: 1 label: LABEL_OPTIONAL type: TYPE_INT32 extendee: ".other.M" }
			service { name: "S" method { name: "Do" input_type: ".other.M" output_type: "other.N" } }`},
		{"unknown options and fields of options", `
			name: "options.proto"
			options { java_package: "j" uninterpreted_option { name { name_part: "x" is_extension: false } identifier_value: "y" } }`},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := new(descriptorpb.FileDescriptorProto)
			if err := prototext.Unmarshal([]byte(test.text), want); err != nil {
				t.Fatal(err)
			}
			file, err := protodesc.FileOptions{AllowUnresolvable: true}.New(want, protoregistry.GlobalFiles)
			if err != nil {
				t.Fatal(err)
			}
			checkSame(t, fileProto(file), want)
			checkSame(t, fileProto(file), protodesc.ToFileDescriptorProto(file))
		})
	}
}

// Before protobuf 1.36.12, protodesc forgets that an extension is optional, so
// testdata/odd has none.
func TestOptionalExtensionsOfProto3AreDescribedAsOptional(t *testing.T) {
	want := new(descriptorpb.FileDescriptorProto)
	if err := prototext.Unmarshal([]byte(`
		name: "optional.proto"
		syntax: "proto3"
		dependency: "google/protobuf/descriptor.proto"
		extension {
			name: "x" number: 50005 label: LABEL_OPTIONAL type: TYPE_STRING
			extendee: ".google.protobuf.FileOptions" json_name: "x" proto3_optional: true
		}`), want); err != nil {
		t.Fatal(err)
	}
	files := new(protoregistry.Files)
	linkFile(t, want, files)
	file, err := files.FindFileByPath(want.GetName())
	if err != nil {
		t.Fatal(err)
	}
	checkSame(t, fileProto(file), want)
}

func TestUnknownFieldsOfOptionsAreKept(t *testing.T) {
	unknown := protoreflect.RawFields{0xd0, 0xbc, 0x19, 0x01} // a varint in field 52106
	want := &descriptorpb.FileDescriptorProto{Name: proto.String("unknown.proto"), Options: new(descriptorpb.FileOptions)}
	want.GetOptions().ProtoReflect().SetUnknown(unknown)
	file, err := protodesc.NewFile(want, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := fileProto(file).GetOptions().ProtoReflect().GetUnknown(); string(got) != string(unknown) {
		t.Errorf("got %x, want %x", got, unknown)
	}
}

// checkDescribed also looks at what a client makes of it.
func checkDescribed(t *testing.T, file protoreflect.FileDescriptor, want *descriptorpb.FileDescriptorProto, imports protodesc.Resolver) {
	t.Helper()
	checkSame(t, fileProto(file), want)
	encoded, err := proto.Marshal(fileProto(file))
	if err != nil {
		t.Fatal(err)
	}
	decoded := new(descriptorpb.FileDescriptorProto)
	if err := proto.Unmarshal(encoded, decoded); err != nil {
		t.Fatal(err)
	}
	received, err := protodesc.NewFile(decoded, imports)
	if err != nil {
		t.Fatal(err)
	}
	checkSame(t, fileProto(received), want)
}

func checkSame(t *testing.T, got, want proto.Message) {
	t.Helper()
	if proto.Equal(got, want) {
		return
	}
	a, b := strings.Split(prototext.Format(got), "\n"), strings.Split(prototext.Format(want), "\n")
	first := 0
	for first < min(len(a), len(b)) && a[first] == b[first] {
		first++
	}
	around := func(lines []string) string {
		return strings.Join(lines[max(first-5, 0):min(first+5, len(lines))], "\n")
	}
	t.Errorf("from line %d on it is\n%s\nand should be\n%s", first, around(a), around(b))
}

func oddSet(t *testing.T) *descriptorpb.FileDescriptorSet {
	t.Helper()
	encoded, err := os.ReadFile("testdata/odd.binpb")
	if err != nil {
		t.Fatal(err)
	}
	set := new(descriptorpb.FileDescriptorSet)
	if err := proto.Unmarshal(encoded, set); err != nil {
		t.Fatal(err)
	}
	return set
}

func decodeFile(t *testing.T, file *descriptorpb.FileDescriptorProto, files *protoregistry.Files) {
	t.Helper()
	descriptor, err := protodesc.NewFile(file, both{files, protoregistry.GlobalFiles})
	if err != nil {
		t.Fatal(err)
	}
	if err := files.RegisterFile(descriptor); err != nil {
		t.Fatal(err)
	}
}

// linkFile does what generated code does at the start of a program. What comes
// of it is an implementation of its own, which decodes most when it is asked.
func linkFile(t *testing.T, file *descriptorpb.FileDescriptorProto, files *protoregistry.Files) {
	t.Helper()
	encoded, err := proto.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	protoimpl.DescBuilder{RawDescriptor: encoded, FileRegistry: registry{both{files, protoregistry.GlobalFiles}, files}}.Build()
}

// registry adds to one place and finds in two.
type registry struct {
	both

	files *protoregistry.Files
}

func (r registry) RegisterFile(file protoreflect.FileDescriptor) error {
	return r.files.RegisterFile(file)
}

// both asks a second one for what the first one does not have.
type both struct{ first, second Files }

func (b both) FindFileByPath(path string) (protoreflect.FileDescriptor, error) {
	if file, err := b.first.FindFileByPath(path); err == nil {
		return file, nil
	}
	return b.second.FindFileByPath(path)
}

func (b both) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	if descriptor, err := b.first.FindDescriptorByName(name); err == nil {
		return descriptor, nil
	}
	return b.second.FindDescriptorByName(name)
}
