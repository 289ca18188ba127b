package protogen

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/mod/modfile"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/tool"
)

// generatorPackages has the module and package of each generator. One generator is a
// program and cannot be imported. So the go command builds both, at the versions pinned by
// the repository: `make generate` then writes the same code.
var generatorPackages = map[string]string{
	"google.golang.org/protobuf":                    "google.golang.org/protobuf/cmd/protoc-gen-go",
	"google.golang.org/grpc/cmd/protoc-gen-go-grpc": "google.golang.org/grpc/cmd/protoc-gen-go-grpc",
}

// generators is a folder with the built generators.
type generators struct{ dir string }

func (g generators) remove() { _ = os.RemoveAll(g.dir) }

// buildGenerators builds the generators in a module of their own: the other tools of
// tools.mod may need a newer Go.
func buildGenerators(ctx context.Context, repository string) (g generators, err error) {
	mod, err := generatorModule(filepath.Join(repository, "tools.mod"))
	if err != nil {
		return generators{}, err
	}
	sums, err := os.ReadFile(filepath.Join(repository, "tools.sum"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return generators{}, err
	}
	if g.dir, err = os.MkdirTemp("", "jackfield-generators-*"); err != nil {
		return generators{}, err
	}
	defer func() {
		if err != nil {
			g.remove()
		}
	}()
	for name, data := range map[string][]byte{"go.mod": mod, "go.sum": sums} {
		if err := os.WriteFile(filepath.Join(g.dir, name), data, 0o600); err != nil {
			return g, err
		}
	}
	args := []string{"build", "-mod=mod", "-trimpath", "-o", g.dir + string(filepath.Separator)}
	for _, pkg := range generatorPackages {
		args = append(args, pkg)
	}
	slices.Sort(args[4:])
	_, err = tool.Go(g.dir).Run(ctx, args...)
	return g, err
}

func generatorModule(toolsMod string) ([]byte, error) {
	data, err := os.ReadFile(toolsMod)
	if err != nil {
		return nil, fmt.Errorf("build the generators pinned by tools.mod: %w", err)
	}
	tools, err := modfile.ParseLax(toolsMod, data, nil)
	if err != nil {
		return nil, err
	}
	mod := &modfile.File{}
	if err := errors.Join(mod.AddModuleStmt("generators"), mod.AddGoStmt("1.25.0")); err != nil {
		return nil, err
	}
	for _, require := range tools.Require {
		if generatorPackages[require.Mod.Path] != "" {
			mod.AddNewRequire(require.Mod.Path, require.Mod.Version, false)
		}
	}
	if len(mod.Require) < len(generatorPackages) {
		return nil, fmt.Errorf("%s does not require both google.golang.org/protobuf and google.golang.org/grpc/cmd/protoc-gen-go-grpc", toolsMod)
	}
	return mod.Format()
}

// run returns the generators' output files.
func (g generators) run(ctx context.Context, request *pluginpb.CodeGeneratorRequest) (map[string][]byte, error) {
	input, err := proto.Marshal(request)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, pkg := range generatorPackages {
		name := filepath.Base(pkg)
		output, err := tool.Program(filepath.Join(g.dir, name)).RunWith(ctx, input)
		if err != nil {
			return nil, err
		}
		response := &pluginpb.CodeGeneratorResponse{}
		if err := proto.Unmarshal([]byte(output), response); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if response.Error != nil {
			return nil, fmt.Errorf("%s: %s", name, response.GetError())
		}
		for _, file := range response.GetFile() {
			files[file.GetName()] = []byte(file.GetContent())
		}
	}
	return files, nil
}
