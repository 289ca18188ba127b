// Package pluginreflect holds the descriptors of the wire's own services and messages, under the names
// that they have on the wire: plugin.GRPCBroker, plugin.ConnInfo and so on.
//
// Server reflection needs them. The Go types of package pluginpb are registered under other names (its
// package comment says why), so the table of the Go runtime, protoregistry.GlobalFiles, does not know
// the names that reflection lists. A server puts Resolver in front of that table:
//
//	options := reflection.ServerOptions{
//		Services:           server,
//		DescriptorResolver: pluginreflect.Resolver(nil),
//	}
//
// Nothing here is registered anywhere, and nothing is decoded before somebody asks.
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
	_ "google.golang.org/protobuf/types/known/emptypb" // what stdio.proto imports

	"github.com/jackfield-go/jackfield/proto/pluginpb"
)

// shared serves all resolvers, which only read it.
var shared = sync.OnceValues(Files)

// Files decodes the descriptors of plugin/broker.proto, plugin/controller.proto and plugin/stdio.proto.
// Each call makes a registry of its own, which the caller may add to. What they import is not in it; it
// comes from protoregistry.GlobalFiles. There is an error only if the program was built from damaged
// files.
func Files() (*protoregistry.Files, error) {
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(pluginpb.FileDescriptorSet(), &set); err != nil {
		return nil, fmt.Errorf("pluginreflect: decode the embedded descriptors: %w", err)
	}
	files := new(protoregistry.Files)
	for _, file := range set.GetFile() {
		// Files that others import come first in a set.
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

// Resolver finds the wire's own descriptors, and hands every other question to next; nil stands for
// protoregistry.GlobalFiles. The wire's own win where next knows the same name. It may be used from many
// goroutines if next may. The descriptors are decoded at the first question, once in a program.
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

// FindDescriptorByName finds anything that has a name, such as "plugin.GRPCBroker.StartStream".
func (r resolver) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	files, err := shared()
	if err != nil {
		return nil, err
	}

	return inFront{files, r.next}.FindDescriptorByName(name)
}

// inFront asks one resolver, and the next one for what that does not have.
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
