package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/mod/modfile"
	modulepath "golang.org/x/mod/module"
)

// module is one go.mod of the repository.
type module struct {
	path     string
	folder   string // below the root, with slashes
	file     *modfile.File
	siblings []*module // its requirements among the published modules
}

func (m *module) tag(version string) string { return m.folder + "/" + version }

// versions is the content of versions.yaml, with the keys of OpenTelemetry's multimod.
type versions struct {
	Sets map[string]struct {
		Version string   `yaml:"version"`
		Modules []string `yaml:"modules"`
	} `yaml:"module-sets"`
	Excluded []string `yaml:"excluded-modules"`
}

// readModules compares versions.yaml with the go.mod files in git, and returns its version.
func (r *release) readModules(ctx context.Context) (version string, err error) {
	text, err := os.ReadFile(r.root.path("versions.yaml"))
	if err != nil {
		return "", err
	}
	var list versions
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&list); err != nil {
		return "", fmt.Errorf("versions.yaml: %w", err)
	}
	if len(list.Sets) != 1 {
		return "", fmt.Errorf("versions.yaml: %d module sets; all published modules are one set", len(list.Sets))
	}
	known, err := r.findModules(ctx)
	if err != nil {
		return "", err
	}
	var published []string
	for _, set := range list.Sets {
		version, published = set.Version, set.Modules
	}
	if err := compareLists(known, published, list.Excluded); err != nil {
		return "", err
	}
	r.modules, err = inOrder(known, published)
	return version, err
}

// findModules reads the go.mod files tracked by git, except in testdata.
func (r *release) findModules(ctx context.Context) (map[string]*module, error) {
	files, err := r.root.lines(ctx, "ls-files", "go.mod", "*/go.mod")
	if err != nil {
		return nil, err
	}
	modules := map[string]*module{}
	for _, name := range files {
		if strings.Contains("/"+name, "/testdata/") {
			continue
		}
		file, err := readModFile(r.root.path(filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		if file.Module == nil {
			return nil, fmt.Errorf("%s has no module line", name)
		}
		m := &module{path: file.Module.Mod.Path, folder: path.Dir(name), file: file}
		if err := r.checkPath(m); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		modules[m.path] = m
	}
	return modules, nil
}

func readModFile(name string) (*modfile.File, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return modfile.Parse(name, text, nil)
}

// checkPath requires a module's path to be its folder below the modules' common prefix:
// tags and proxies expect that.
func (r *release) checkPath(m *module) error {
	if err := modulepath.CheckPath(m.path); err != nil {
		return err
	}
	prefix, ok := strings.CutSuffix(m.path, "/"+m.folder)
	if !ok {
		return fmt.Errorf("the path %s does not end with the folder", m.path)
	}
	if r.prefix == "" {
		r.prefix = prefix
	}
	if prefix != r.prefix {
		return fmt.Errorf("the path %s does not begin with %s like other modules", m.path, r.prefix)
	}
	return nil
}

// compareLists compares versions.yaml with the go.mod files.
func compareLists(known map[string]*module, published, excluded []string) error {
	count := map[string]int{}
	for _, name := range slices.Concat(published, excluded) {
		count[name]++
	}
	var failures []error
	for _, name := range slices.Sorted(maps.Keys(known)) {
		switch n := count[name]; {
		case n == 0:
			failures = append(failures, fmt.Errorf("versions.yaml: %s is missing: add it to the set or to excluded-modules", name))
		case n > 1:
			failures = append(failures, fmt.Errorf("versions.yaml: %s is listed %d times", name, n))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(count)) {
		if known[name] == nil {
			failures = append(failures, fmt.Errorf("versions.yaml: no go.mod of this repository has the path %s", name))
		}
	}
	return errors.Join(failures...)
}

// inOrder returns the published modules in order, each after its requirements.
func inOrder(known map[string]*module, published []string) ([]*module, error) {
	var order []*module
	state := map[*module]string{}
	var visit func(m *module) error
	visit = func(m *module) error {
		switch state[m] {
		case "done":
			return nil
		case "open":
			return fmt.Errorf("%s requires itself, by way of its siblings", m.path)
		}
		state[m] = "open"
		for _, required := range m.file.Require {
			sibling := known[required.Mod.Path]
			if sibling == nil {
				continue
			}
			if !slices.Contains(published, sibling.path) {
				return fmt.Errorf("%s/go.mod requires %s, which is not published", m.folder, sibling.path)
			}
			if err := visit(sibling); err != nil {
				return err
			}
			m.siblings = append(m.siblings, sibling)
		}
		state[m] = "done"
		order = append(order, m)
		return nil
	}
	for _, name := range slices.Sorted(slices.Values(published)) {
		if err := visit(known[name]); err != nil {
			return nil, err
		}
	}
	return order, nil
}

// checkDirectives refuses lines of a go.mod that users would inherit, and lines that would
// not reach users.
func (m *module) checkDirectives(published []*module) error {
	var failures []error
	for _, replace := range m.file.Replace {
		sibling := slices.ContainsFunc(published, func(p *module) bool { return p.path == replace.Old.Path })
		if !sibling || replace.New.Version != "" {
			failures = append(failures, fmt.Errorf("%s/go.mod replaces %s: users would not get the replacement", m.folder, replace.Old.Path))
		}
	}
	for _, tool := range m.file.Tool {
		failures = append(failures, fmt.Errorf("%s/go.mod has the tool %s: users would inherit its requirements", m.folder, tool.Path))
	}
	for _, exclude := range m.file.Exclude {
		failures = append(failures, fmt.Errorf("%s/go.mod excludes %s: users would not", m.folder, exclude.Mod))
	}
	return errors.Join(failures...)
}
