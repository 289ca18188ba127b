// Package pluginreflect holds the descriptors of the protocol's own services and messages,
// under their wire names: plugin.GRPCBroker, plugin.ConnInfo and so on.
//
// Server reflection needs them. Package pluginpb registers its Go types under other names
// (its package comment gives the reason). So the Go runtime's table,
// protoregistry.GlobalFiles, does not contain the names listed by reflection. A server puts
// Resolver in front of that table:
//
//	options := reflection.ServerOptions{
//		Services:           server,
//		DescriptorResolver: pluginreflect.Resolver(nil),
//	}
//
// The package registers nothing, and decodes the descriptors at the first query.
package pluginreflect

import (
	"errors"
	"fmt"
	"sync"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	_ "google.golang.org/protobuf/types/known/emptypb" // an import of stdio.proto

	"github.com/jackfield-go/jackfield/proto/pluginpb"
)

// shared serves all resolvers; they only read it.
var shared = sync.OnceValues(Files)

// Files decodes the descriptors of plugin/broker.proto, plugin/controller.proto and
// plugin/stdio.proto. Each call returns a new registry, and the caller may add to it. It
// does not contain the files' imports; protoregistry.GlobalFiles has them. Files fails only
// in a program built from damaged files.
func Files() (*protoregistry.Files, error) {
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(pluginpb.FileDescriptorSet(), &set); err != nil {
		return nil, fmt.Errorf("pluginreflect: decode the embedded descriptors: %w", err)
	}
	files := new(protoregistry.Files)
	for _, file := range set.GetFile() {
		// A set lists imported files before the files that import them.
		descriptor, err := protodesc.NewFile(file, inFront{files, protoregistry.GlobalFiles})
		if err != nil {
			return nil, fmt.Errorf("pluginreflect: build the embedded descriptors: %w", err)
		}
		if err := files.RegisterFile(descriptor); err != nil {
			return nil, fmt.Errorf("pluginreflect: build the embedded descriptors: %w", err)
		}
	}

	return files, nil
}

// Resolver finds the descriptors of the protocol's own names, and passes every other query
// to next. A nil next means protoregistry.GlobalFiles. If next knows the same name, the
// protocol's own descriptor wins. A Resolver is safe for concurrent use if next is. The
// first query in a program decodes the descriptors.
func Resolver(next protodesc.Resolver) protodesc.Resolver {
	if next == nil {
		next = protoregistry.GlobalFiles
	}

	return resolver{next}
}

type resolver struct{ next protodesc.Resolver }

// FindFileByPath finds a file by its path, such as "plugin/broker.proto".
func (r resolver) FindFileByPath(path string) (protoreflect.FileDescriptor, error) {
	files, err := shared()
	if err != nil {
		return nil, err
	}

	return inFront{files, r.next}.FindFileByPath(path)
}

// FindDescriptorByName finds any descriptor by its full name, such as
// "plugin.GRPCBroker.StartStream".
func (r resolver) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	files, err := shared()
	if err != nil {
		return nil, err
	}

	return inFront{files, r.next}.FindDescriptorByName(name)
}

// inFront queries first, and next for anything that first does not have.
type inFront struct{ first, next protodesc.Resolver }

func (r inFront) FindFileByPath(path string) (protoreflect.FileDescriptor, error) {
	file, err := r.first.FindFileByPath(path)
	if errors.Is(err, protoregistry.NotFound) {
		return r.next.FindFileByPath(path)
	}

	return file, err
}

func (r inFront) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	descriptor, err := r.first.FindDescriptorByName(name)
	if errors.Is(err, protoregistry.NotFound) {
		return r.next.FindDescriptorByName(name)
	}

	return descriptor, err
}
