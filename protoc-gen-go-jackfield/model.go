package main

import (
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/jackfield-go/jackfield/proto/optionspb"
)

// model has the checked content of a request.
type model struct {
	params      *parameters
	services    map[protoreflect.FullName]*protogen.Service
	serviceFile map[protoreflect.FullName]*protogen.File
	hosts       []*protogen.Service                        // with the role host, in the order of their files
	requests    map[protoreflect.FullName]bool             // messages in use as requests
	names       map[protogen.GoIdent]protoreflect.FullName // Go names in use, and their declarations
	plugins     map[pluginKey]protoreflect.FullName        // seen so far
}

// pluginKey identifies a plugin: two plugins of an application never have the same key.
type pluginKey struct {
	path    protogen.GoImportPath
	name    string
	version uint32
}

// file is a .proto file, with the services and errors to generate code for.
type file struct {
	*protogen.File

	services  []*service
	sentinels []*sentinel
}

// service is a service with a generated interface and adapters.
type service struct {
	*protogen.Service

	file    *file
	methods []*method
	plugin  bool
	name    string // the plugin's
	version uint32
	host    []*protogen.Service // services that hosts offer to the plugin
}

// method is a method, with the fields of its request that lend something.
type method struct {
	*protogen.Method

	lent []*lent
}

// lent is a field with the broker ID of a service, a reader or a writer.
type lent struct {
	*protogen.Field

	param   string            // the parameter's name
	service *protogen.Service // nil for readers and writers
	writer  bool
}

// sentinel is an enum constant with the option error.
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
			if m.hostOf(s) != "" {
				m.hosts = append(m.hosts, s)
			}
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

// checkParameters reports parameters that name missing declarations. It skips packages
// outside this run: buf runs a plugin once for each folder, with the same parameters.
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
	failed := errors.Join(
		m.checkServices("plugin", m.params.plugins, packages), m.checkServices("host", m.params.hosts, packages))
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

// checkServices reports the services of a parameter that their generated package lacks.
func (m *model) checkServices(parameter string, roles map[protoreflect.FullName]string, packages map[protoreflect.FullName]bool) error {
	var failed error
	for name := range roles {
		if packages[name.Parent()] && m.services[name] == nil {
			failed = errors.Join(failed, fmt.Errorf("the parameter %s=%s names no service", parameter, name))
		}
	}
	return failed
}

// messages returns the given messages and all messages nested in them.
func messages(of []*protogen.Message) []*protogen.Message {
	var all []*protogen.Message
	for _, message := range of {
		all = append(append(all, message), messages(message.Messages)...)
	}
	return all
}

// enums returns the given enums and all enums nested in the given messages.
func enums(of []*protogen.Enum, in []*protogen.Message) []*protogen.Enum {
	for _, message := range messages(in) {
		of = append(slices.Clip(of), message.Enums...)
	}
	return of
}
