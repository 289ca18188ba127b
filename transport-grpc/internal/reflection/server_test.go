package reflection

import (
	"slices"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

func byFilename(path string) *request {
	return &request{MessageRequest: &reflectionv1.ServerReflectionRequest_FileByFilename{FileByFilename: path}}
}

func bySymbol(name string) *request {
	return &request{MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: name}}
}

func byExtension(message string, number int32) *request {
	return &request{MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingExtension{
		FileContainingExtension: &reflectionv1.ExtensionRequest{ContainingType: message, ExtensionNumber: number},
	}}
}

func extensionNumbers(message string) *request {
	return &request{MessageRequest: &reflectionv1.ServerReflectionRequest_AllExtensionNumbersOfType{AllExtensionNumbersOfType: message}}
}

func listServices(content string) *request {
	return &request{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{ListServices: content}}
}

var questions = []struct {
	name string
	req  *request
}{
	{"services", listServices("")},
	{"services, with a content", listServices("*")},
	{"services of a host", &request{Host: "somewhere", MessageRequest: listServices("").GetMessageRequest()}},

	{"file without imports", byFilename("google/protobuf/empty.proto")},
	{"file with imports", byFilename("google/protobuf/api.proto")},
	{"the same file again", byFilename("google/protobuf/api.proto")},
	{"file whose imports were sent in part", byFilename("google/protobuf/type.proto")},
	{"file of the wire", byFilename("plugin/broker.proto")},
	{"file of the wire with an import", byFilename("plugin/stdio.proto")},
	{"file of the messages' other names", byFilename("jackfield/plugin/broker.proto")},
	{"file with a public import", byFilename("proto2.proto")},
	{"file of an edition", byFilename("edition2024.proto")},
	{"no such file", byFilename("no/such.proto")},
	{"file without a name", byFilename("")},

	{"service", bySymbol("grpc.health.v1.Health")},
	{"method", bySymbol("grpc.health.v1.Health.Watch")},
	{"message", bySymbol("google.protobuf.Api")},
	{"nested message", bySymbol("google.protobuf.DescriptorProto.ExtensionRange")},
	{"field", bySymbol("google.protobuf.Api.methods")},
	{"oneof", bySymbol("google.protobuf.Value.kind")},
	{"enum", bySymbol("google.protobuf.Syntax")},
	{"enum value", bySymbol("google.protobuf.SYNTAX_PROTO3")},
	{"enum value below its enum", bySymbol("google.protobuf.Syntax.SYNTAX_PROTO3")},
	{"nested enum value", bySymbol("google.protobuf.FieldDescriptorProto.TYPE_GROUP")},
	{"map entry", bySymbol("google.protobuf.Struct.FieldsEntry")},
	{"extension", bySymbol("pb.go")},
	{"extension in a message", bySymbol("jackfield.odd.Base.Scope.in_scope")},
	{"group", bySymbol("jackfield.odd.Groups.Single.Inner")},
	{"service of the wire", bySymbol("plugin.GRPCBroker")},
	{"method of the wire", bySymbol("plugin.GRPCStdio.StreamStdio")},
	{"message of the wire", bySymbol("plugin.ConnInfo")},
	{"nested message of the wire", bySymbol("plugin.ConnInfo.Knock")},
	{"field of the wire", bySymbol("plugin.ConnInfo.Knock.ack")},
	{"enum of the wire", bySymbol("plugin.StdioData.Channel")},
	{"enum value of the wire", bySymbol("plugin.StdioData.STDERR")},
	{"enum value of the wire below its enum", bySymbol("plugin.StdioData.Channel.STDERR")},
	{"message by its other name", bySymbol("jackfield.plugin.ConnInfo")},
	{"reflection", bySymbol("grpc.reflection.v1.ServerReflection")},
	{"reflection of the old version", bySymbol("grpc.reflection.v1alpha.ServerReflection")},
	{"no such symbol", bySymbol("no.such.Symbol")},
	{"no such method", bySymbol("plugin.GRPCBroker.Nothing")},
	{"a package", bySymbol("plugin")},
	{"a symbol without a name", bySymbol("")},
	{"a symbol with a dot in front", bySymbol(".plugin.ConnInfo")},
	{"a symbol that cannot be", bySymbol("a..b c")},

	{"extension by number", byExtension("google.protobuf.FeatureSet", 1002)},
	{"extension of a message set", byExtension("jackfield.odd.Set", 1234)},
	{"no such extension", byExtension("google.protobuf.FeatureSet", 5)},
	{"extension of a negative number", byExtension("google.protobuf.FeatureSet", -5)},
	{"extension of no such type", byExtension("no.such.Type", 1002)},
	{"extension of nothing", byExtension("", 0)},

	{"extension numbers", extensionNumbers("jackfield.odd.Base")},
	{"extension numbers of a type without", extensionNumbers("google.protobuf.Api")},
	{"extension numbers of a type of the wire", extensionNumbers("plugin.ConnInfo")},
	{"extension numbers of an enum", extensionNumbers("google.protobuf.Syntax")},
	{"extension numbers of a service", extensionNumbers("plugin.GRPCBroker")},
	{"extension numbers of no such type", extensionNumbers("no.such.Type")},
	{"extension numbers of nothing", extensionNumbers("")},
}

func TestAnswersAreThoseOfGRPCsOwnServer(t *testing.T) {
	ours, theirs := serveBoth(t)
	for _, version := range versions {
		t.Run(version.name, func(t *testing.T) {
			for _, q := range questions {
				t.Run(q.name, func(t *testing.T) {
					compare(t, q.req, open(t, version.open, ours), open(t, version.open, theirs))
				})
			}
		})
	}
}

// What was sent on a stream already is left out of later answers.
func TestAnswersOfOneStreamAreThoseOfGRPCsOwnServer(t *testing.T) {
	ours, theirs := serveBoth(t)
	for _, version := range versions {
		t.Run(version.name, func(t *testing.T) {
			ours, theirs := open(t, version.open, ours), open(t, version.open, theirs)
			for _, q := range questions {
				t.Run(q.name, func(t *testing.T) { compare(t, q.req, ours, theirs) })
			}
		})
	}
}

func TestQuestionsWithoutAnswerDoNotEndTheStream(t *testing.T) {
	ours, _ := serveBoth(t)
	for _, version := range versions {
		t.Run(version.name, func(t *testing.T) {
			ask := open(t, version.open, ours)
			for _, test := range []struct {
				req  *request
				want codes.Code
			}{
				{&request{Host: "h"}, codes.InvalidArgument},
				{byFilename("no/such.proto"), codes.NotFound},
				{bySymbol("no.such.Symbol"), codes.NotFound},
				{byExtension("no.such.Type", 1), codes.NotFound},
				{extensionNumbers("no.such.Type"), codes.NotFound},
				{bySymbol("plugin.ConnInfo"), codes.OK},
			} {
				res, err := ask(test.req)
				if err != nil {
					t.Fatalf("%v: %v", test.req, err)
				}
				if got := codes.Code(res.GetErrorResponse().GetErrorCode()); got != test.want {
					t.Errorf("%v: got %v, want %v", test.req, got, test.want)
				}
				if !proto.Equal(res.GetOriginalRequest(), test.req) || res.GetValidHost() != test.req.GetHost() {
					t.Errorf("%v: the answer is to %v of %q", test.req, res.GetOriginalRequest(), res.GetValidHost())
				}
			}
		})
	}
}

func TestTheFileThatWasAskedForComesFirstAndEachImportOnce(t *testing.T) {
	ours, _ := serveBoth(t)
	ask := open(t, openV1, ours)
	for _, test := range []struct {
		path string
		want []string
	}{
		{"google/protobuf/api.proto", []string{
			"google/protobuf/api.proto", "google/protobuf/source_context.proto", "google/protobuf/type.proto", "google/protobuf/any.proto",
		}},
		{"google/protobuf/type.proto", []string{"google/protobuf/type.proto"}},
		{"google/protobuf/type.proto", []string{"google/protobuf/type.proto"}},
		{"plugin/stdio.proto", []string{"plugin/stdio.proto", "google/protobuf/empty.proto"}},
	} {
		res, err := ask(byFilename(test.path))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, encoded := range res.GetFileDescriptorResponse().GetFileDescriptorProto() {
			file := new(descriptorpb.FileDescriptorProto)
			if err := proto.Unmarshal(encoded, file); err != nil {
				t.Fatal(err)
			}
			got = append(got, file.GetName())
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, want %v", test.path, got, test.want)
		}
	}
}

func TestImportsThatAreNotLinkedAreLeftOut(t *testing.T) {
	file, err := protodesc.FileOptions{AllowUnresolvable: true}.New(&descriptorpb.FileDescriptorProto{
		Name:       proto.String("importing.proto"),
		Dependency: []string{"not/linked.proto", "google/protobuf/empty.proto"},
	}, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	files := placeholders{both{new(protoregistry.Files), protoregistry.GlobalFiles}, map[string]protoreflect.FileDescriptor{
		"importing.proto":  file,
		"not/linked.proto": file.Imports().Get(0).FileDescriptor,
	}}
	c := conversation{server: &server{library: newLibrary(files, protoregistry.GlobalTypes)}, sent: make(map[string]bool)}
	var got []string
	for _, sent := range takeFiles(t, c.answer(byFilename("importing.proto"))) {
		got = append(got, sent.GetName())
	}
	if want := []string{"google/protobuf/empty.proto", "importing.proto"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := c.answer(byFilename("not/linked.proto")).GetErrorResponse().GetErrorCode(); got != int32(codes.NotFound) {
		t.Errorf("a file that is not linked: got the code %d, want NotFound", got)
	}
}

// placeholders finds files that are none.
type placeholders struct {
	both

	files map[string]protoreflect.FileDescriptor
}

func (p placeholders) FindFileByPath(path string) (protoreflect.FileDescriptor, error) {
	if file, ok := p.files[path]; ok {
		return file, nil
	}
	return p.both.FindFileByPath(path)
}

func TestServicesThatAreRegisteredLaterAreListed(t *testing.T) {
	var names []string
	listed := servicesFunc(func() map[string]grpc.ServiceInfo {
		info := make(map[string]grpc.ServiceInfo)
		for _, name := range names {
			info[name] = grpc.ServiceInfo{}
		}
		return info
	})
	c := conversation{server: &server{services: listed}}
	for _, want := range [][]string{nil, {"b.B"}, {"a.A", "b.B", "c.C"}} {
		names = slices.Clone(want)
		slices.Reverse(names)
		var got []string
		for _, service := range c.answer(listServices("")).GetListServicesResponse().GetService() {
			got = append(got, service.GetName())
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

type servicesFunc func() map[string]grpc.ServiceInfo

func (f servicesFunc) GetServiceInfo() map[string]grpc.ServiceInfo { return f() }
