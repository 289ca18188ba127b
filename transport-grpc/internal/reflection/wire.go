package reflection

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	_ "google.golang.org/protobuf/types/known/emptypb" // what stdio.proto imports

	"github.com/jackfield-go/jackfield/proto/pluginpb"
)

// wire has the plugin protocol's own files. Their messages are registered under
// other names than they have on the wire, lest a program that links
// hashicorp/go-plugin too panics, so the registry cannot tell of them. Package
// pluginreflect can, but links protodesc.
type wire struct {
	files   map[string]*descriptorpb.FileDescriptorProto
	symbols map[protoreflect.FullName]*descriptorpb.FileDescriptorProto
}

// decodeWire fails only in a program that was built from damaged files.
func decodeWire() (*wire, error) {
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(pluginpb.FileDescriptorSet(), &set); err != nil {
		return nil, fmt.Errorf("decode the embedded descriptors: %w", err)
	}
	w := &wire{
		files:   make(map[string]*descriptorpb.FileDescriptorProto),
		symbols: make(map[protoreflect.FullName]*descriptorpb.FileDescriptorProto),
	}
	for _, file := range set.GetFile() {
		w.files[file.GetName()] = file
		forSymbols(file, func(name protoreflect.FullName) { w.symbols[name] = file })
	}
	return w, nil
}

// forSymbols calls f with the name of everything in a file that has one.
func forSymbols(file *descriptorpb.FileDescriptorProto, f func(protoreflect.FullName)) {
	scope := protoreflect.FullName(file.GetPackage())
	for _, message := range file.GetMessageType() {
		forMessage(scope, message, f)
	}
	for _, enum := range file.GetEnumType() {
		forEnum(scope, enum, f)
	}
	forEach(scope, file.GetExtension(), f)
	for _, service := range file.GetService() {
		f(scoped(scope, service))
		forEach(scoped(scope, service), service.GetMethod(), f)
	}
}

func forMessage(scope protoreflect.FullName, message *descriptorpb.DescriptorProto, f func(protoreflect.FullName)) {
	name := scoped(scope, message)
	f(name)
	forEach(name, message.GetField(), f)
	forEach(name, message.GetOneofDecl(), f)
	forEach(name, message.GetExtension(), f)
	for _, nested := range message.GetNestedType() {
		forMessage(name, nested, f)
	}
	for _, enum := range message.GetEnumType() {
		forEnum(name, enum, f)
	}
}

// forEnum has the values beside their enum, which is where their names are.
func forEnum(scope protoreflect.FullName, enum *descriptorpb.EnumDescriptorProto, f func(protoreflect.FullName)) {
	f(scoped(scope, enum))
	forEach(scope, enum.GetValue(), f)
}

type named interface{ GetName() string }

func forEach[N named](scope protoreflect.FullName, list []N, f func(protoreflect.FullName)) {
	for _, n := range list {
		f(scoped(scope, n))
	}
}

func scoped(scope protoreflect.FullName, n named) protoreflect.FullName {
	return scope.Append(protoreflect.Name(n.GetName()))
}
