package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// serviceField is the number of FileDescriptorProto.service: the first path element of
// every comment in a service.
const serviceField = 6

// A renaming moves the files of one proto package into another package, for a generator of messages.
type renaming struct {
	from, to string // proto packages

	files map[string]string   // file name in the new package → original name
	types map[string]struct{} // the messages and enums of the old package, as ".package.Name"
}

// newRenaming finds the names to rename in a request. In a request without a file of the
// package, it renames nothing.
func newRenaming(from, to string, req *pluginpb.CodeGeneratorRequest) (*renaming, error) {
	r := &renaming{from: from, to: to, files: map[string]string{}, types: map[string]struct{}{}}
	for _, file := range req.GetProtoFile() {
		if file.GetPackage() != from {
			continue
		}
		renamed := r.file(file.GetName())
		if other, taken := r.files[renamed]; taken {
			return nil, fmt.Errorf("both %s and %s would become %s", other, file.GetName(), renamed)
		}
		r.files[renamed] = file.GetName()
		r.declare("."+from, file.GetMessageType(), file.GetEnumType())
	}
	for _, file := range req.GetProtoFile() {
		if original, taken := r.files[file.GetName()]; taken && file.GetPackage() != from {
			return nil, fmt.Errorf("%s would become %s, and that is another file", original, file.GetName())
		}
	}

	return r, nil
}

// file returns a file's name in the new package: linters ask for a folder named like the
// package.
func (r *renaming) file(name string) string {
	return path.Join(strings.ReplaceAll(r.to, ".", "/"), path.Base(name))
}

func (r *renaming) declare(scope string, messages []*descriptorpb.DescriptorProto, enums []*descriptorpb.EnumDescriptorProto) {
	for _, enum := range enums {
		r.types[scope+"."+enum.GetName()] = struct{}{}
	}
	for _, message := range messages {
		name := scope + "." + message.GetName()
		r.types[name] = struct{}{}
		r.declare(name, message.GetNestedType(), message.GetEnumType())
	}
}

// request renames everything in req, and drops the services of the renamed files.
func (r *renaming) request(req *pluginpb.CodeGeneratorRequest) {
	renamed := make(map[string]string, len(r.files))
	for to, from := range r.files {
		renamed[from] = to
	}
	rename := func(names []string) {
		for i, name := range names {
			if to, ok := renamed[name]; ok {
				names[i] = to
			}
		}
	}

	rename(req.GetFileToGenerate())
	// SourceFileDescriptors adds options for generators only; protoc-gen-go reads none of
	// them.
	req.SourceFileDescriptors = nil
	for _, file := range req.GetProtoFile() {
		rename(file.GetDependency())
		r.references(file.GetMessageType(), file.GetExtension())
		for _, service := range file.GetService() {
			for _, method := range service.GetMethod() {
				method.InputType = r.reference(method.InputType)
				method.OutputType = r.reference(method.OutputType)
			}
		}
		if to, ok := renamed[file.GetName()]; ok {
			file.Name = new(to)
			file.Package = new(r.to)
			dropServices(file)
		}
	}
}

func (r *renaming) references(messages []*descriptorpb.DescriptorProto, fields []*descriptorpb.FieldDescriptorProto) {
	for _, field := range fields {
		field.TypeName = r.reference(field.TypeName)
		field.Extendee = r.reference(field.Extendee)
	}
	for _, message := range messages {
		r.references(message.GetNestedType(), message.GetField())
		r.references(nil, message.GetExtension())
	}
}

// reference renames a type's name if the type belongs to the package. A package below it
// has the same prefix.
func (r *renaming) reference(name *string) *string {
	if name == nil {
		return nil
	}
	if _, ok := r.types[*name]; !ok {
		return name
	}

	return new("." + r.to + strings.TrimPrefix(*name, "."+r.from))
}

// dropServices removes the services of a file and their comments.
func dropServices(file *descriptorpb.FileDescriptorProto) {
	file.Service = nil
	info := file.GetSourceCodeInfo()
	if info == nil {
		return
	}
	info.Location = slices.DeleteFunc(info.GetLocation(), func(location *descriptorpb.SourceCodeInfo_Location) bool {
		return len(location.GetPath()) > 0 && location.GetPath()[0] == serviceField
	})
}

// response restores the source's original name in the generated files.
func (r *renaming) response(resp *pluginpb.CodeGeneratorResponse) {
	for _, file := range resp.GetFile() {
		for renamed, original := range r.files {
			content := strings.Replace(file.GetContent(), "// source: "+renamed+"\n", "// source: "+original+"\n", 1)
			file.Content = new(content)
		}
	}
}
