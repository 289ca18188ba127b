package main

import (
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/jackfield-go/jackfield/proto/optionspb"
)

// model is what a request asks for, checked.
type model struct {
	params      *parameters
	services    map[protoreflect.FullName]*protogen.Service
	serviceFile map[protoreflect.FullName]*protogen.File
	requests    map[protoreflect.FullName]bool             // messages
	names       map[protogen.GoIdent]protoreflect.FullName // what the Go packages have, and whose it is
	plugins     map[pluginKey]protoreflect.FullName        // seen so far
}

// pluginKey is what the plugins of one application differ in.
type pluginKey struct {
	path    protogen.GoImportPath
	name    string
	version uint32
}

// file is a .proto file, with what is written for it.
type file struct {
	*protogen.File

	services  []*service
	sentinels []*sentinel
}

// service is a service for which an interface and adapters are written.
type service struct {
	*protogen.Service

	file    *file
	methods []*method
	plugin  bool
	name    string // the plugin's
	version uint32
}

// method is a method, with what its request lends.
type method struct {
	*protogen.Method

	lent []*lent
}

// lent is a field with the broker ID of something.
type lent struct {
	*protogen.Field

	param   string            // the parameter's name
	service *protogen.Service // nil for readers and writers
	writer  bool
}

// sentinel is a constant that names an error.
type sentinel struct {
	*protogen.EnumValue

	goName string
	code   optionspb.Code
	text   string
}

func newModel(gen *protogen.Plugin, params *parameters) (*model, error) {
	m := &model{
		params:      params,
		services:    make(map[protoreflect.FullName]*protogen.Service),
		serviceFile: make(map[protoreflect.FullName]*protogen.File),
		requests:    make(map[protoreflect.FullName]bool),
		names:       make(map[protogen.GoIdent]protoreflect.FullName),
		plugins:     make(map[pluginKey]protoreflect.FullName),
	}
	for _, f := range gen.Files {
		for _, s := range f.Services {
			m.services[s.Desc.FullName()], m.serviceFile[s.Desc.FullName()] = s, f
			for _, method := range s.Methods {
				m.requests[method.Input.Desc.FullName()] = true
			}
		}
		if params.suffix == "" {
			m.take(f)
		}
	}
	return m, m.checkParameters(gen)
}

// checkParameters reports parameters for declarations that do not exist, in packages that
// are generated now. buf runs a plugin once for each folder, with the same parameters.
func (m *model) checkParameters(gen *protogen.Plugin) error {
	known := make(map[protoreflect.FullName]bool)
	packages := make(map[protoreflect.FullName]bool) // whether one of its files is generated
	for _, f := range gen.Files {
		packages[f.Desc.Package()] = packages[f.Desc.Package()] || f.Generate
		for _, enum := range enums(f.Enums, f.Messages) {
			known[enum.Desc.FullName()] = m.params.errors[enum.Desc.FullName()]
		}
		for _, message := range messages(f.Messages) {
			for _, field := range message.Fields {
				known[field.Desc.FullName()] = true
			}
		}
	}
	var failed error
	for name := range m.params.plugins {
		if packages[name.Parent()] && m.services[name] == nil {
			failed = errors.Join(failed, fmt.Errorf("the parameter plugin=%s names no service", name))
		}
	}
	for name := range m.params.lent {
		if packages[name.Parent().Parent()] && !known[name] {
			failed = errors.Join(failed, fmt.Errorf("the parameter lent=%s names no field of a message", name))
		}
	}
	for name := range m.params.errors {
		if packages[name.Parent()] && !known[name] {
			failed = errors.Join(failed, fmt.Errorf("the parameter errors=%s names no enum", name))
		}
	}
	return failed
}

// messages returns all messages below some.
func messages(of []*protogen.Message) []*protogen.Message {
	var all []*protogen.Message
	for _, message := range of {
		all = append(append(all, message), messages(message.Messages)...)
	}
	return all
}

// enums returns all enums of a file.
func enums(of []*protogen.Enum, in []*protogen.Message) []*protogen.Enum {
	for _, message := range messages(in) {
		of = append(slices.Clip(of), message.Enums...)
	}
	return of
}
