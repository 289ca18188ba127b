package reflection

import (
	"slices"
	"sync"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// library finds files. The files that it returns are only to be read. Any error
// of it says that there is no such file.
type library struct {
	wire       func() (*wire, error) // decoded at the first question
	files      Files
	extensions Extensions
}

func newLibrary(files Files, extensions Extensions) *library {
	return &library{wire: sync.OnceValues(decodeWire), files: files, extensions: extensions}
}

// byPath finds a file by its name, such as "plugin/broker.proto".
func (l *library) byPath(path string) (*descriptorpb.FileDescriptorProto, error) {
	w, err := l.wire()
	if err != nil {
		return nil, err
	}
	if file, ok := w.files[path]; ok {
		return file, nil
	}
	file, err := l.files.FindFileByPath(path)
	if err != nil {
		return nil, err
	}
	return fromDescriptor(file)
}

// bySymbol finds the file of anything that has a name.
func (l *library) bySymbol(name protoreflect.FullName) (*descriptorpb.FileDescriptorProto, error) {
	w, err := l.wire()
	if err != nil {
		return nil, err
	}
	if file, ok := w.symbols[name]; ok {
		return file, nil
	}
	descriptor, err := l.files.FindDescriptorByName(name)
	if err != nil {
		return nil, err
	}
	return fromDescriptor(descriptor)
}

// byExtension finds the file of the extension that a message has for a number.
func (l *library) byExtension(message protoreflect.FullName, number protoreflect.FieldNumber) (*descriptorpb.FileDescriptorProto, error) {
	extension, err := l.extensions.FindExtensionByNumber(message, number)
	if err != nil {
		return nil, err
	}
	return fromDescriptor(extension.TypeDescriptor())
}

// extensionNumbers are the numbers of a message's extensions, sorted. There may
// be none if there is something of that name, and otherwise there is an error.
func (l *library) extensionNumbers(message protoreflect.FullName) ([]int32, error) {
	var numbers []int32
	l.extensions.RangeExtensionsByMessage(message, func(extension protoreflect.ExtensionType) bool {
		numbers = append(numbers, int32(extension.TypeDescriptor().Number()))
		return true
	})
	if len(numbers) == 0 {
		if _, err := l.bySymbol(message); err != nil {
			return nil, err
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// fromDescriptor makes the message of the file in which something is declared.
// A placeholder stands for a file that is not linked.
func fromDescriptor(d protoreflect.Descriptor) (*descriptorpb.FileDescriptorProto, error) {
	file := d.ParentFile()
	if file == nil || file.IsPlaceholder() {
		return nil, protoregistry.NotFound
	}
	return fileProto(file), nil
}
