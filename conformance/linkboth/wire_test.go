package linkboth_test

import (
	"testing"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/jackfield-go/jackfield/proto/pluginpb"
	"github.com/jackfield-go/jackfield/proto/pluginreflect"
)

// Each library's own use keeps it linked.
var (
	_ = goplugin.DefaultGRPCServer
	_ = (*pluginpb.ConnInfo)(nil)
)

func TestMessagesOfBothLibrariesAreRegistered(t *testing.T) {
	for _, name := range []protoreflect.FullName{"plugin.ConnInfo", "jackfield.plugin.ConnInfo"} {
		if _, err := protoregistry.GlobalTypes.FindMessageByName(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// go-plugin's registered descriptors define the wire. Ours must equal them, name by name
// and number by number.
func TestDescriptorsEqualThoseOfGoPlugin(t *testing.T) {
	ours, err := pluginreflect.Files()
	if err != nil {
		t.Fatal(err)
	}
	theirs := definitions(protoregistry.GlobalFiles)
	if len(theirs) == 0 {
		t.Fatal("go-plugin registered nothing in package plugin")
	}
	own := definitions(ours)
	for name, want := range theirs {
		got, ok := own[name]
		if !ok {
			t.Errorf("we have no %s", name)
			continue
		}
		if !proto.Equal(got, want) {
			t.Errorf("%s differs:\nours   %v\ntheirs %v", name, got, want)
		}
	}
	for name := range own {
		if _, ok := theirs[name]; !ok {
			t.Errorf("go-plugin has no %s", name)
		}
	}
}

// definitions collects the messages, enums and services of package plugin.
func definitions(files *protoregistry.Files) map[protoreflect.FullName]proto.Message {
	found := map[protoreflect.FullName]proto.Message{}
	files.RangeFilesByPackage("plugin", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Messages().Len() {
			message := file.Messages().Get(i)
			found[message.FullName()] = protodesc.ToDescriptorProto(message)
		}
		for i := range file.Enums().Len() {
			enum := file.Enums().Get(i)
			found[enum.FullName()] = protodesc.ToEnumDescriptorProto(enum)
		}
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			found[service.FullName()] = withoutOptions(protodesc.ToServiceDescriptorProto(service))
		}

		return true
	})

	return found
}

// withoutOptions removes options that are not on the wire, such as idempotence.
func withoutOptions(service *descriptorpb.ServiceDescriptorProto) *descriptorpb.ServiceDescriptorProto {
	service.Options = nil
	for _, method := range service.GetMethod() {
		method.Options = nil
	}

	return service
}

// The types of one library read messages written by those of the other, under the
// registered names.
func TestMessagesOfOneLibraryAreReadByTheOther(t *testing.T) {
	for _, test := range []struct {
		theirs protoreflect.FullName
		ours   proto.Message
	}{
		{"plugin.ConnInfo", &pluginpb.ConnInfo{ServiceId: 7, Network: "unix", Address: "/tmp/s"}},
		{"plugin.ConnInfo", &pluginpb.ConnInfo{ServiceId: 1 << 31, Knock: &pluginpb.ConnInfo_Knock{Knock: true, Ack: true, Error: "no"}}},
		{"plugin.StdioData", &pluginpb.StdioData{Channel: pluginpb.StdioData_STDERR, Data: []byte("printed\n")}},
		{"plugin.Empty", &pluginpb.Empty{}},
	} {
		t.Run(string(test.theirs), func(t *testing.T) {
			written, err := proto.Marshal(test.ours)
			if err != nil {
				t.Fatal(err)
			}
			kind, err := protoregistry.GlobalTypes.FindMessageByName(test.theirs)
			if err != nil {
				t.Fatal(err)
			}
			theirs := kind.New().Interface()
			if err := proto.Unmarshal(written, theirs); err != nil {
				t.Fatal(err)
			}
			if unknown := theirs.ProtoReflect().GetUnknown(); len(unknown) != 0 {
				t.Errorf("go-plugin does not know the fields %x", unknown)
			}
			answered, err := proto.Marshal(theirs)
			if err != nil {
				t.Fatal(err)
			}
			back := test.ours.ProtoReflect().New().Interface()
			if err := proto.Unmarshal(answered, back); err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(back, test.ours) {
				t.Errorf("got %v back, want %v", back, test.ours)
			}
		})
	}
}
