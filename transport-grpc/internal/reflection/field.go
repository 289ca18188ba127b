package reflection

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// fieldProto serves fields and extensions.
func fieldProto(field protoreflect.FieldDescriptor) *descriptorpb.FieldDescriptorProto {
	p := &descriptorpb.FieldDescriptorProto{
		Name:         name(field),
		Number:       proto.Int32(int32(field.Number())),
		Label:        label(field),
		Type:         fieldType(field),
		JsonName:     jsonName(field),
		DefaultValue: defaultValue(field),
		Options:      options[*descriptorpb.FieldOptions](field),
	}
	if enum := field.Enum(); enum != nil {
		p.TypeName = reference(enum)
	}
	if message := field.Message(); message != nil {
		p.TypeName = reference(message)
	}
	if field.IsExtension() {
		p.Extendee = reference(field.ContainingMessage())
	}
	if oneof := field.ContainingOneof(); oneof != nil {
		p.OneofIndex = proto.Int32(int32(oneof.Index()))
	}
	if field.Syntax() == protoreflect.Proto3 {
		p.Proto3Optional = ifTrue(field.HasOptionalKeyword())
	}
	return p
}

// label has protoreflect's number. In an edition a feature says that a field is
// required, which stays in the options, and the label is no place for it.
func label(field protoreflect.FieldDescriptor) *descriptorpb.FieldDescriptorProto_Label {
	cardinality := field.Cardinality()
	if cardinality == protoreflect.Required && field.Syntax() == protoreflect.Editions {
		cardinality = protoreflect.Optional
	}
	return descriptorpb.FieldDescriptorProto_Label(cardinality).Enum()
}

// fieldType has protoreflect's number. In an edition a feature says that a
// message is encoded as a group, as with label. A field of a type that is not
// linked may have none.
func fieldType(field protoreflect.FieldDescriptor) *descriptorpb.FieldDescriptorProto_Type {
	kind := field.Kind()
	if !kind.IsValid() {
		return nil
	}
	if kind == protoreflect.GroupKind && field.Syntax() == protoreflect.Editions {
		kind = protoreflect.MessageKind
	}
	return descriptorpb.FieldDescriptorProto_Type(kind).Enum()
}

// jsonName is there if the compiler wrote it. For an extension protoreflect
// tells the name in brackets that JSON has for it, but compilers write what they
// write for a field of that name.
func jsonName(field protoreflect.FieldDescriptor) *string {
	switch {
	case !field.HasJSONName():
		return nil
	case field.IsExtension():
		return proto.String(camelCase(string(field.Name())))
	default:
		return proto.String(field.JSONName())
	}
}

// camelCase drops underscores and capitalises the ASCII letters after them.
func camelCase(snake string) string {
	var b strings.Builder
	upper := false
	for _, c := range []byte(snake) {
		switch {
		case c == '_':
			upper = true
			continue
		case upper && 'a' <= c && c <= 'z':
			c -= 'a' - 'A'
		}
		upper = false
		b.WriteByte(c)
	}
	return b.String()
}

// defaultValue is there if the file has one, as text.
func defaultValue(field protoreflect.FieldDescriptor) *string {
	if !field.HasDefault() {
		return nil
	}
	value := field.Default()
	switch field.Kind() {
	case protoreflect.EnumKind:
		if field.DefaultEnumValue() == nil {
			return nil
		}
		return name(field.DefaultEnumValue())
	case protoreflect.FloatKind:
		return proto.String(floatText(value.Float(), 32))
	case protoreflect.DoubleKind:
		return proto.String(floatText(value.Float(), 64))
	case protoreflect.BytesKind:
		return proto.String(escape(value.Bytes()))
	default:
		return proto.String(value.String())
	}
}

// floatText is the shortest text with that value.
func floatText(v float64, bits int) string {
	switch {
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	case math.IsNaN(v):
		return "nan"
	default:
		return strconv.FormatFloat(v, 'g', -1, bits)
	}
}

// escape writes bytes as a string of C has them.
func escape(bytes []byte) string {
	var b strings.Builder
	for _, c := range bytes {
		if i := strings.IndexByte("\n\r\t\"'\\", c); i >= 0 {
			b.WriteByte('\\')
			b.WriteByte("nrt\"'\\"[i])
		} else if c < ' ' || c > '~' {
			fmt.Fprintf(&b, "\\%03o", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
