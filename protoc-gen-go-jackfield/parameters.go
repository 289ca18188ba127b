package main

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// The response declares these features and editions as supported.
const (
	supportedFeatures = uint64(pluginpb.CodeGeneratorResponse_FEATURE_PROTO3_OPTIONAL) |
		uint64(pluginpb.CodeGeneratorResponse_FEATURE_SUPPORTS_EDITIONS)
	editionsMinimum = descriptorpb.Edition_EDITION_PROTO2
	editionsMaximum = descriptorpb.Edition_EDITION_2024
)

// parameters has the values from protoc's --go-jackfield_opt or buf's opt. The parameters
// plugin, host, lent and errors may be repeated.
type parameters struct {
	suffix  string                           // of the package and its folder; empty: beside x.pb.go
	plugins map[protoreflect.FullName]string // services to plugins' names; empty: derived
	hosts   map[protoreflect.FullName]string // services of hosts to plugins' names
	lent    map[protoreflect.FullName]string // fields to "reader", "writer" or a service
	errors  map[protoreflect.FullName]bool   // enums
}

// set is called for each parameter, except those of protogen itself such as paths and module.
func (p *parameters) set(name, value string) error {
	subject, more, hasMore := strings.Cut(value, "=")
	full := protoreflect.FullName(subject)
	switch name {
	case "package_suffix":
		if value == "" || !protoreflect.Name(value).IsValid() {
			return fmt.Errorf("package_suffix=%s: the suffix is not part of a Go package's name", value)
		}
		p.suffix = value
		return nil
	case "plugin", "host", "lent", "errors":
	default:
		return fmt.Errorf("unknown parameter %q: there are plugin, host, lent, errors, package_suffix, and those of protoc-gen-go", name)
	}
	if !full.IsValid() {
		return fmt.Errorf("%s=%s: %q is not the full name of a declaration", name, value, subject)
	}
	return p.role(name, full, more, hasMore)
}

// role checks and records a parameter plugin, host, lent or errors.
func (p *parameters) role(name string, full protoreflect.FullName, more string, hasMore bool) error {
	switch {
	case name == "errors" && hasMore:
		return fmt.Errorf("errors=%s=%s: this parameter takes the full name of an enum only", full, more)
	case name == "lent" && more == "":
		return fmt.Errorf("lent=%s: add what the field lends, as lent=%s=SERVICE, =reader or =writer", full, full)
	case name == "host" && more == "":
		return fmt.Errorf("host=%s: add the plugin's name, as host=%s=NAME", full, full)
	case name == "plugin" && hasMore && more == "":
		return fmt.Errorf("plugin=%s=: the name of the plugin is empty", full)
	}
	switch name {
	case "plugin":
		return record(&p.plugins, name, full, more)
	case "host":
		return record(&p.hosts, name, full, more)
	case "lent":
		return record(&p.lent, name, full, more)
	default:
		return record(&p.errors, name, full, true)
	}
}

// record refuses a role that contradicts an earlier parameter.
func record[T comparable](roles *map[protoreflect.FullName]T, name string, full protoreflect.FullName, role T) error {
	if earlier, ok := (*roles)[full]; ok && earlier != role {
		return fmt.Errorf("the parameter %s is there twice for %s, with %v and %v", name, full, earlier, role)
	}
	if *roles == nil {
		*roles = make(map[protoreflect.FullName]T)
	}
	(*roles)[full] = role
	return nil
}
