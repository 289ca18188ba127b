package main

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/jackfield-go/jackfield/proto/optionspb"
)

// file reads the options of a file.
func (m *model) file(from *protogen.File) (*file, error) {
	f := &file{File: from}
	marked := len(m.params.plugins) > 0
	for _, s := range from.Services {
		marked = marked || proto.HasExtension(s.Desc.Options(), optionspb.E_Plugin) || m.hostOf(s) != ""
	}
	var failed error
	for _, s := range from.Services {
		read, err := m.service(f, s, marked)
		failed = errors.Join(failed, err)
		f.services = append(f.services, read)
	}
	for _, enum := range enums(from.Enums, from.Messages) {
		sentinels, err := m.sentinels(enum)
		failed = errors.Join(failed, err)
		f.sentinels = append(f.sentinels, sentinels...)
	}
	return f, failed
}

// service reads the options of a service. Without any marked service in the file or in the
// parameters, each service is a plugin's.
func (m *model) service(f *file, from *protogen.Service, marked bool) (*service, error) {
	s := &service{Service: from, file: f}
	name, byParameter := m.params.plugins[from.Desc.FullName()]
	byOption := proto.HasExtension(from.Desc.Options(), optionspb.E_Plugin)
	option, _ := proto.GetExtension(from.Desc.Options(), optionspb.E_Plugin).(*optionspb.Plugin)
	var failed error
	if byOption {
		failed = checkUnknown(from.Desc, "plugin", option)
		if name != "" && option.GetName() != "" && name != option.GetName() {
			failed = errors.Join(failed, at(from.Desc, "the service %s is the plugin %q by its option, and %q by parameter",
				from.Desc.Name(), option.GetName(), name))
		}
	}
	s.plugin = byOption || byParameter || !marked
	s.name = firstOf(option.GetName(), name, pluginName(from.GoName))
	s.version = option.GetVersion()
	if s.version == 0 {
		s.version = packageVersion(f.Desc.Package())
	}
	for _, method := range from.Methods {
		read, err := m.method(method)
		failed = errors.Join(failed, err)
		s.methods = append(s.methods, read)
	}
	if s.plugin {
		failed = errors.Join(failed, m.checkPlugin(s), m.hostServices(s, option.GetHostServices()))
	}
	return s, errors.Join(failed, m.checkHost(s))
}

// checkPlugin reports a second plugin of the same name and version in a Go package.
func (m *model) checkPlugin(s *service) error {
	key := pluginKey{s.file.GoImportPath, s.name, s.version}
	if earlier := m.plugins[key]; earlier != "" {
		return at(s.Desc, "the services %s and %s are both the plugin %q in version %d: give one of them another name",
			earlier, s.Desc.FullName(), s.name, s.version)
	}
	m.plugins[key] = s.Desc.FullName()
	return nil
}

// method reads the options of the request's fields.
func (m *model) method(from *protogen.Method) (*method, error) {
	made := &method{Method: from}
	params := map[string]bool{}
	var failed error
	for _, field := range from.Input.Fields {
		l, err := m.lent(field)
		failed = errors.Join(failed, err)
		if l == nil {
			continue
		}
		if from.Desc.IsStreamingClient() {
			failed = errors.Join(failed, at(field.Desc, "the field %s lends something, but %s is a stream of requests: lend it in a single request",
				field.Desc.Name(), from.Desc.FullName()))
		}
		if params[l.param] {
			failed = errors.Join(failed, at(field.Desc, "the field %s gives the parameter %s, as another field of %s",
				field.Desc.Name(), l.param, from.Input.Desc.Name()))
		}
		params[l.param] = true
		made.lent = append(made.lent, l)
	}
	return made, failed
}

// lent returns the field as a lent one, or nil if it lends nothing.
func (m *model) lent(field *protogen.Field) (*lent, error) {
	desc := field.Desc
	kind, err := m.lentKind(desc)
	if kind == "" || err != nil {
		return nil, err
	}
	if desc.Kind() != protoreflect.Uint32Kind || desc.Cardinality() == protoreflect.Repeated || field.Oneof != nil && !field.Oneof.Desc.IsSynthetic() {
		return nil, at(desc, "the field %s lends something, so it must be one uint32, for the ID, outside of a oneof", desc.Name())
	}
	l := &lent{Field: field, param: parameterName(field), writer: kind == "writer"}
	if kind == "reader" || kind == "writer" {
		return l, nil
	}
	for _, name := range []protoreflect.FullName{protoreflect.FullName(kind), desc.ParentFile().Package().Append(protoreflect.Name(kind))} {
		if s := m.services[name]; s != nil {
			l.service = s
			return l, nil
		}
	}
	return nil, at(desc, "the field %s lends %s, but neither this file nor its imports have a service of that name", desc.Name(), kind)
}

// lentKind returns "reader", "writer", the name of a service, or "" if the field lends
// nothing.
func (m *model) lentKind(desc protoreflect.FieldDescriptor) (string, error) {
	given := m.params.lent[desc.FullName()]
	if !proto.HasExtension(desc.Options(), optionspb.E_Lent) {
		return given, nil
	}
	option, _ := proto.GetExtension(desc.Options(), optionspb.E_Lent).(*optionspb.Lent)
	if err := checkUnknown(desc, "lent", option); err != nil {
		return "", err
	}
	var kind string
	switch {
	case option.GetReader():
		kind = "reader"
	case option.GetWriter():
		kind = "writer"
	case option.GetService() != "":
		kind = option.GetService()
	default:
		return "", at(desc, "the option lent of the field %s says nothing: set service, reader or writer", desc.Name())
	}
	if given != "" && given != kind {
		return "", at(desc, "the field %s lends %s by its option, and %s by parameter", desc.Name(), kind, given)
	}
	return kind, nil
}

// sentinels reads the errors named by an enum.
func (m *model) sentinels(enum *protogen.Enum) ([]*sentinel, error) {
	var sentinels []*sentinel
	var failed error
	prefix := upperSnake(string(enum.Desc.Name())) + "_"
	for _, value := range enum.Values {
		marked := proto.HasExtension(value.Desc.Options(), optionspb.E_Error)
		if !marked && (!m.params.errors[enum.Desc.FullName()] || value.Desc.Number() == 0) {
			continue
		}
		option, _ := proto.GetExtension(value.Desc.Options(), optionspb.E_Error).(*optionspb.Error)
		if marked {
			failed = errors.Join(failed, checkUnknown(value.Desc, "error", option))
		}
		if value.Desc.Number() == 0 {
			failed = errors.Join(failed, at(value.Desc, "%s has the number 0, which is for no error: give the error another number", value.Desc.Name()))
		}
		if optionspb.Code_name[int32(option.GetCode())] == "" {
			failed = errors.Join(failed, at(value.Desc, "%s has the code %d, which gRPC does not have", value.Desc.Name(), option.GetCode()))
		}
		name := strings.TrimPrefix(string(value.Desc.Name()), prefix)
		sentinels = append(sentinels, &sentinel{
			EnumValue: value,
			goName:    "Err" + camel(name),
			code:      option.GetCode(),
			text:      firstOf(option.GetText(), strings.ReplaceAll(strings.ToLower(name), "_", " ")),
		})
	}
	return sentinels, failed
}

// at returns an error with the file, line and column of a declaration.
func at(desc protoreflect.Descriptor, format string, args ...any) error {
	location := desc.ParentFile().SourceLocations().ByDescriptor(desc)
	return fmt.Errorf("%s:%d:%d: %s", desc.ParentFile().Path(), location.StartLine+1, location.StartColumn+1, fmt.Sprintf(format, args...))
}

// checkUnknown reports fields of an option unknown to this version of the program.
func checkUnknown(desc protoreflect.Descriptor, name string, option proto.Message) error {
	unknown := option.ProtoReflect().GetUnknown()
	if len(unknown) == 0 {
		return nil
	}
	return at(desc, "the option %s of %s has a field that this protoc-gen-go-jackfield does not know: update it", name, desc.Name())
}

// checkLent reports fields that lend something outside of any request.
func (m *model) checkLent(gen *protogen.Plugin) error {
	var failed error
	for _, f := range gen.Files {
		if !f.Generate {
			continue
		}
		for _, message := range messages(f.Messages) {
			if m.requests[message.Desc.FullName()] {
				continue // method reports its fields
			}
			for _, field := range message.Fields {
				kind, err := m.lentKind(field.Desc)
				if kind != "" {
					err = at(field.Desc, "the field %s lends something, but %s is the request of no method", field.Desc.Name(), message.Desc.Name())
				}
				failed = errors.Join(failed, err)
			}
		}
	}
	return failed
}
