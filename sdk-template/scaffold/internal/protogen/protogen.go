// Package protogen makes the code of a repository's .proto files, as `make
// generate` does there, without buf. A generated file holds its proto package in
// encoded form with its length, so renaming cannot make it.
package protogen

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// Generate makes the Go code beside the .proto files below dir/proto, and the
// descriptor sets at the given paths below dir. Go code of proto files that are
// gone goes too.
func Generate(ctx context.Context, dir string, sets []string) error {
	root := filepath.Join(dir, "proto")
	protos, stale, err := find(root)
	if err != nil {
		return err
	}
	if len(protos) == 0 {
		return fmt.Errorf("%s holds no .proto file", root)
	}
	files, err := compile(ctx, root, protos)
	if err != nil {
		return err
	}
	generators, err := buildGenerators(ctx, dir)
	if err != nil {
		return err
	}
	defer generators.remove()
	out, err := generators.run(ctx, &pluginpb.CodeGeneratorRequest{
		FileToGenerate: protos,
		Parameter:      proto.String("paths=source_relative"),
		ProtoFile:      files,
	})
	if err != nil {
		return err
	}
	for _, file := range stale {
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	for name, content := range out {
		if err := os.WriteFile(filepath.Join(root, filepath.FromSlash(name)), content, 0o644); err != nil {
			return err
		}
	}
	return writeSets(dir, sets, files)
}

// find returns the paths of the .proto files below root, relative to it, and the
// files that an earlier run made.
func find(root string) (protos, generated []string, err error) {
	err = filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
		case strings.HasSuffix(file, ".pb.go"):
			generated = append(generated, file)
		case strings.HasSuffix(file, ".proto"):
			rel, err := filepath.Rel(root, file)
			if err != nil {
				return err
			}
			protos = append(protos, filepath.ToSlash(rel))
		}
		return nil
	})
	slices.Sort(protos)
	return protos, generated, err
}

// compile returns the files and their imports, these first.
func compile(ctx context.Context, root string, protos []string) ([]*descriptorpb.FileDescriptorProto, error) {
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: []string{root}}),
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	results, err := compiler.Compile(ctx, protos...)
	if err != nil {
		return nil, err
	}
	var files []*descriptorpb.FileDescriptorProto
	seen := map[string]bool{}
	var add func(file protoreflect.FileDescriptor)
	add = func(file protoreflect.FileDescriptor) {
		if seen[file.Path()] {
			return
		}
		seen[file.Path()] = true
		for i := range file.Imports().Len() {
			add(file.Imports().Get(i).FileDescriptor)
		}
		files = append(files, protoutil.ProtoFromFileDescriptor(file))
	}
	for _, file := range results {
		add(file)
	}
	return files, nil
}

func writeSets(dir string, sets []string, files []*descriptorpb.FileDescriptorProto) error {
	set := &descriptorpb.FileDescriptorSet{}
	for _, file := range files {
		file = proto.CloneOf(file)
		file.SourceCodeInfo = nil
		set.File = append(set.File, file)
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(set)
	if err != nil {
		return err
	}
	for _, path := range sets {
		file := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
