package reflection

import (
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// fileProto makes the message that a compiler would have made of the file, as
// the comments of google/protobuf/descriptor.proto ask for. It shares options
// with the descriptor, so it is only to be read.
func fileProto(file protoreflect.FileDescriptor) *descriptorpb.FileDescriptorProto {
	p := &descriptorpb.FileDescriptorProto{
		Name:           proto.String(file.Path()),
		MessageType:    convert(file.Messages(), messageProto),
		EnumType:       convert(file.Enums(), enumProto),
		Service:        convert(file.Services(), serviceProto),
		Extension:      convert(file.Extensions(), fieldProto),
		Options:        options[*descriptorpb.FileOptions](file),
		SourceCodeInfo: sourceProto(file.SourceLocations()),
	}
	if file.Package() != "" {
		p.Package = proto.String(string(file.Package()))
	}
	addSyntax(p, file)
	addImports(p, file)
	return p
}

// addSyntax says nothing for proto2, which is what saying nothing means.
func addSyntax(p *descriptorpb.FileDescriptorProto, file protoreflect.FileDescriptor) {
	switch file.Syntax() {
	case protoreflect.Proto3:
		p.Syntax = proto.String("proto3")
	case protoreflect.Editions:
		p.Syntax = proto.String("editions")
		// The method is there for this purpose, and not in the interface.
		if e, ok := file.(interface{ Edition() int32 }); ok {
			p.Edition = descriptorpb.Edition(e.Edition()).Enum()
		}
	case protoreflect.Proto2:
	}
}

// addImports says of none that it is weak, as descriptors do not any more.
func addImports(p *descriptorpb.FileDescriptorProto, file protoreflect.FileDescriptor) {
	for i := range file.Imports().Len() {
		imported := file.Imports().Get(i)
		p.Dependency = append(p.Dependency, imported.Path())
		if imported.IsPublic {
			p.PublicDependency = append(p.PublicDependency, int32(i))
		}
	}
	// The method is there for this purpose, and not in the interface.
	if o, ok := file.(interface {
		OptionImports() protoreflect.FileImports
	}); ok {
		p.OptionDependency = convert(o.OptionImports(), func(f protoreflect.FileImport) string { return f.Path() })
	}
}

func messageProto(message protoreflect.MessageDescriptor) *descriptorpb.DescriptorProto {
	p := &descriptorpb.DescriptorProto{
		Name:           name(message),
		Field:          convert(message.Fields(), fieldProto),
		Extension:      convert(message.Extensions(), fieldProto),
		NestedType:     convert(message.Messages(), messageProto),
		EnumType:       convert(message.Enums(), enumProto),
		OneofDecl:      convert(message.Oneofs(), oneofProto),
		ReservedRange:  convert(message.ReservedRanges(), reservedRange),
		ReservedName:   convert(message.ReservedNames(), nameString),
		ExtensionRange: convert(message.ExtensionRanges(), extensionRange),
		Options:        options[*descriptorpb.MessageOptions](message),
		Visibility:     visibility(message),
	}
	for i, r := range p.GetExtensionRange() {
		r.Options, _ = message.ExtensionRangeOptions(i).(*descriptorpb.ExtensionRangeOptions)
	}
	return p
}

func oneofProto(oneof protoreflect.OneofDescriptor) *descriptorpb.OneofDescriptorProto {
	return &descriptorpb.OneofDescriptorProto{
		Name:    name(oneof),
		Options: options[*descriptorpb.OneofOptions](oneof),
	}
}

func enumProto(enum protoreflect.EnumDescriptor) *descriptorpb.EnumDescriptorProto {
	return &descriptorpb.EnumDescriptorProto{
		Name:          name(enum),
		Value:         convert(enum.Values(), enumValueProto),
		ReservedRange: convert(enum.ReservedRanges(), enumReservedRange),
		ReservedName:  convert(enum.ReservedNames(), nameString),
		Options:       options[*descriptorpb.EnumOptions](enum),
		Visibility:    visibility(enum),
	}
}

func enumValueProto(value protoreflect.EnumValueDescriptor) *descriptorpb.EnumValueDescriptorProto {
	return &descriptorpb.EnumValueDescriptorProto{
		Name:    name(value),
		Number:  proto.Int32(int32(value.Number())),
		Options: options[*descriptorpb.EnumValueOptions](value),
	}
}

func serviceProto(service protoreflect.ServiceDescriptor) *descriptorpb.ServiceDescriptorProto {
	return &descriptorpb.ServiceDescriptorProto{
		Name:    name(service),
		Method:  convert(service.Methods(), methodProto),
		Options: options[*descriptorpb.ServiceOptions](service),
	}
}

func methodProto(method protoreflect.MethodDescriptor) *descriptorpb.MethodDescriptorProto {
	return &descriptorpb.MethodDescriptorProto{
		Name:            name(method),
		InputType:       reference(method.Input()),
		OutputType:      reference(method.Output()),
		ClientStreaming: ifTrue(method.IsStreamingClient()),
		ServerStreaming: ifTrue(method.IsStreamingServer()),
		Options:         options[*descriptorpb.MethodOptions](method),
	}
}

// The ends of a message's ranges are exclusive in both forms, those of an enum's
// inclusive in both.

func reservedRange(r [2]protoreflect.FieldNumber) *descriptorpb.DescriptorProto_ReservedRange {
	return &descriptorpb.DescriptorProto_ReservedRange{Start: proto.Int32(int32(r[0])), End: proto.Int32(int32(r[1]))}
}

func extensionRange(r [2]protoreflect.FieldNumber) *descriptorpb.DescriptorProto_ExtensionRange {
	return &descriptorpb.DescriptorProto_ExtensionRange{Start: proto.Int32(int32(r[0])), End: proto.Int32(int32(r[1]))}
}

func enumReservedRange(r [2]protoreflect.EnumNumber) *descriptorpb.EnumDescriptorProto_EnumReservedRange {
	return &descriptorpb.EnumDescriptorProto_EnumReservedRange{Start: proto.Int32(int32(r[0])), End: proto.Int32(int32(r[1]))}
}

// visibility is that of edition 2024. The method is there for this purpose, and
// in no interface.
func visibility(d protoreflect.Descriptor) *descriptorpb.SymbolVisibility {
	v, ok := d.(interface{ Visibility() int32 })
	if !ok || v.Visibility() == 0 {
		return nil
	}
	return descriptorpb.SymbolVisibility(v.Visibility()).Enum()
}

// options is nil if there are none.
func options[O proto.Message](d protoreflect.Descriptor) O {
	o, _ := d.Options().(O)
	return o
}

// reference is how a type is named where it is used: with a dot in front, which
// says that the name is a full one. A descriptor may have been built without
// what it refers to; then protodesc writes a name of which only a part is known
// with "*." in front.
func reference(d protoreflect.Descriptor) *string {
	full := string(d.FullName())
	if part, ok := strings.CutPrefix(full, "*."); ok {
		return &part
	}
	return proto.String("." + full)
}

func name(d protoreflect.Descriptor) *string { return proto.String(string(d.Name())) }

func nameString(n protoreflect.Name) string { return string(n) }

// ifTrue leaves a flag out that is not set, as compilers do.
func ifTrue(b bool) *bool {
	if !b {
		return nil
	}
	return &b
}

// list is what protoreflect's lists have in common.
type list[D any] interface {
	Len() int
	Get(i int) D
}

func convert[D, P any](l list[D], f func(D) P) []P {
	if l.Len() == 0 {
		return nil
	}
	all := make([]P, l.Len())
	for i := range all {
		all[i] = f(l.Get(i))
	}
	return all
}
