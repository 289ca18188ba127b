package pluginreflect_test

import (
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/jackfield-go/jackfield/proto/pluginpb"
	"github.com/jackfield-go/jackfield/proto/pluginreflect"
)

func TestResolverFindsTheWiresNames(t *testing.T) {
	resolver := pluginreflect.Resolver(nil)
	for _, name := range []protoreflect.FullName{
		"plugin.GRPCBroker",
		"plugin.GRPCBroker.StartStream",
		"plugin.GRPCController.Shutdown",
		"plugin.GRPCStdio.StreamStdio",
		"plugin.ConnInfo",
		"plugin.ConnInfo.Knock",
		"plugin.ConnInfo.service_id",
		"plugin.Empty",
		"plugin.StdioData",
		"plugin.StdioData.Channel",
		"plugin.StdioData.STDERR",
	} {
		descriptor, err := resolver.FindDescriptorByName(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if descriptor.FullName() != name {
			t.Errorf("%s: got %s", name, descriptor.FullName())
		}
	}
	for _, path := range []string{"plugin/broker.proto", "plugin/controller.proto", "plugin/stdio.proto"} {
		file, err := resolver.FindFileByPath(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if file.Path() != path || file.Package() != "plugin" {
			t.Errorf("%s: got %s of package %s", path, file.Path(), file.Package())
		}
	}
}

func TestResolverAsksTheNextOneForTheRest(t *testing.T) {
	resolver := pluginreflect.Resolver(nil)
	if _, err := resolver.FindDescriptorByName("google.protobuf.Empty"); err != nil {
		t.Errorf("a name of the global registry: %v", err)
	}
	if _, err := resolver.FindFileByPath("google/protobuf/empty.proto"); err != nil {
		t.Errorf("a file of the global registry: %v", err)
	}
	if _, err := resolver.FindDescriptorByName("no.such.Name"); !errors.Is(err, protoregistry.NotFound) {
		t.Errorf("an unknown name: got %v, want protoregistry.NotFound", err)
	}
	if _, err := resolver.FindFileByPath("no/such.proto"); !errors.Is(err, protoregistry.NotFound) {
		t.Errorf("an unknown file: got %v, want protoregistry.NotFound", err)
	}

	mine := new(protoregistry.Files)
	if _, err := pluginreflect.Resolver(mine).FindDescriptorByName("google.protobuf.Empty"); !errors.Is(err, protoregistry.NotFound) {
		t.Errorf("a name of the global registry alone: got %v, want protoregistry.NotFound", err)
	}
}

func TestFilesBelongToTheCaller(t *testing.T) {
	first, err := pluginreflect.Files()
	if err != nil {
		t.Fatal(err)
	}
	second, err := pluginreflect.Files()
	if err != nil {
		t.Fatal(err)
	}
	if first == second {
		t.Error("two calls share a registry")
	}
	if got := first.NumFiles(); got != 3 {
		t.Errorf("got %d files, want 3", got)
	}
}

// hashicorp/go-plugin registers these names and may be linked into the same program.
func TestPackagePluginIsNotRegistered(t *testing.T) {
	protoregistry.GlobalFiles.RangeFilesByPackage("plugin", func(file protoreflect.FileDescriptor) bool {
		t.Errorf("%s is registered", file.Path())

		return true
	})
	protoregistry.GlobalTypes.RangeMessages(func(message protoreflect.MessageType) bool {
		if name := message.Descriptor().FullName(); strings.HasPrefix(string(name), "plugin.") {
			t.Errorf("%s is registered", name)
		}

		return true
	})
}

// The Go types and the wire descriptors come from one source in two ways.
func TestTypesAgreeWithTheWiresDescriptors(t *testing.T) {
	files, err := pluginreflect.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range []protoreflect.ProtoMessage{
		(*pluginpb.ConnInfo)(nil), (*pluginpb.ConnInfo_Knock)(nil), (*pluginpb.Empty)(nil), (*pluginpb.StdioData)(nil),
	} {
		registered := message.ProtoReflect().Descriptor()
		name := protoreflect.FullName(strings.TrimPrefix(string(registered.FullName()), "jackfield."))
		wire, err := files.FindDescriptorByName(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := strings.ReplaceAll(protodesc.ToDescriptorProto(registered).String(), ".jackfield.plugin.", ".plugin.")
		if got := protodesc.ToDescriptorProto(wire.(protoreflect.MessageDescriptor)).String(); got != want {
			t.Errorf("%s differs:\ngot  %s\nwant %s", name, got, want)
		}
	}
}
