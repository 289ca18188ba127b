package main

import (
	"errors"
	"slices"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/jackfield-go/jackfield/proto/optionspb"
)

// hostOf returns the name of the plugin for which hosts offer a service, or "".
func (m *model) hostOf(s *protogen.Service) string {
	option, _ := proto.GetExtension(s.Desc.Options(), optionspb.E_Host).(*optionspb.Host)
	return firstOf(option.GetOf(), m.params.hosts[s.Desc.FullName()])
}

// hostServices finds the services that hosts offer to a plugin: those of its proto package with
// the role host, and the services of other packages named by its option.
func (m *model) hostServices(s *service, named []string) error {
	for _, host := range m.hosts {
		if host.Desc.ParentFile().Package() == s.file.Desc.Package() && m.hostOf(host) == s.name {
			s.host = append(s.host, host)
		}
	}
	var failed error
	for _, name := range named {
		host := m.services[protoreflect.FullName(name)]
		switch {
		case host == nil:
			failed = errors.Join(failed, at(s.Desc, "the hosts of the plugin %q offer %s, but neither this file nor its imports have a service of that name",
				s.name, name))
		case slices.ContainsFunc(s.host, func(other *protogen.Service) bool { return other.GoName == host.GoName }):
			failed = errors.Join(failed, at(s.Desc, "the hosts of the plugin %q offer two services with the Go name %s", s.name, host.GoName))
		default:
			s.host = append(s.host, host)
		}
	}
	return failed
}

// checkHost reports contradicting roles, and the role host for a plugin that its package lacks.
func (m *model) checkHost(s *service) error {
	marked := proto.HasExtension(s.Desc.Options(), optionspb.E_Host)
	option, _ := proto.GetExtension(s.Desc.Options(), optionspb.E_Host).(*optionspb.Host)
	given := m.params.hosts[s.Desc.FullName()]
	var failed error
	if marked {
		failed = checkUnknown(s.Desc, "host", option)
	}
	of := m.hostOf(s.Service)
	switch {
	case marked && of == "":
		return errors.Join(failed, at(s.Desc, "the option host of %s says nothing: set of to the plugin's name", s.Desc.Name()))
	case of == "":
		return failed
	case given != "" && given != of:
		return errors.Join(failed, at(s.Desc, "hosts offer the service %s to the plugin %q by its option, and to %q by parameter", s.Desc.Name(), of, given))
	case s.plugin:
		return errors.Join(failed, at(s.Desc, "the service %s is a plugin's, so hosts cannot offer it", s.Desc.Name()))
	}
	return failed
}

// host writes the declarations for the services that hosts offer to a plugin.
func (w *writer) host(s *service) {
	name := s.GoName
	w.lines("",
		"// "+name+"Host has the services that hosts offer as long as the plugin runs. Embed it in an",
		"// implementation of "+name+", and bind a pointer to the implementation. The first call connects.",
		[]any{"type ", name, "Host struct{ ", gluePackage.Ident("Host"), " }"})
	for _, host := range s.host {
		w.lines("",
			"// "+host.GoName+" returns the host's "+host.GoName+".",
			[]any{"func (h *", name, "Host) ", host.GoName, "() ", w.ident(host, ""), " {"},
			[]any{"return ", gluePackage.Ident("HostService"), "(&h.Host, ", w.ident(host, "New"), ")"},
			"}")
	}
	w.lines("",
		"// "+name+"HostServices are a host's implementations. A plugin's call to a nil service fails.",
		"type "+name+"HostServices struct {")
	for _, host := range s.host {
		w.P(host.GoName, " ", w.ident(host, ""))
	}
	w.lines("}", "",
		"// Option offers the services to each plugin launched with it.",
		[]any{"func (s ", name, "HostServices) Option() ", transportPackage.Ident("Option"), " {"},
		[]any{"return ", gluePackage.Ident("Offer"), "("})
	for _, host := range s.host {
		w.P(gluePackage.Ident("Offered"), "(", w.ident(host, "Register"), ", s.", host.GoName, "),")
	}
	w.lines(")", "}")
}
