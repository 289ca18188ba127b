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
	"time"

	"go.yaml.in/yaml/v3"
	"golang.org/x/mod/modfile"
	modulepath "golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// module is one go.mod of the repository.
type module struct {
	path     string
	folder   string // below the root, with slashes
	file     *modfile.File
	siblings []*module // published modules that it requires
}

func (m *module) tag(version string) string { return m.folder + "/" + version }

// versions is versions.yaml, in the keys of OpenTelemetry's multimod.
type versions struct {
	Sets map[string]struct {
		Version string   `yaml:"version"`
		Modules []string `yaml:"modules"`
	} `yaml:"module-sets"`
	Excluded []string `yaml:"excluded-modules"`
}

// plan reads the repository and refuses what cannot become a release. It writes nothing, and reports
// all that it finds.
func (r *release) plan(ctx context.Context) error {
	if top, err := r.root.git(ctx, "rev-parse", "--show-toplevel"); err != nil {
		return err
	} else if same, err := sameFile(top, string(r.root)); err != nil || !same {
		return errors.Join(err, fmt.Errorf("%s is in the git repository %s, and not its root", r.root, top))
	}
	seconds, err := r.root.git(ctx, "log", "-1", "--no-show-signature", "--format=%H %ct")
	if err != nil {
		return err
	}
	var unix int64
	if _, err := fmt.Sscanf(seconds, "%s %d", &r.base, &unix); err != nil {
		return err
	}
	r.time = time.Unix(unix, 0).UTC()

	set, err := r.readModules(ctx)
	if err != nil {
		return err
	}
	if err := r.readHistory(ctx); err != nil {
		return err
	}
	given := r.version != ""
	err = errors.Join(
		r.checkVersion(set),
		r.checkClean(ctx),
		r.checkFiles(ctx),
		r.readCommitter(ctx),
	)
	if given { // a version of the commit stays on this machine
		err = errors.Join(err, r.checkChangelog(), r.checkTags())
	}
	return err
}

func sameFile(a, b string) (bool, error) {
	first, err := os.Stat(a)
	if err != nil {
		return false, err
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second), err
}

// readModules compares versions.yaml with the go.mod files in git, and returns the version in it.
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

// findModules reads the go.mod files that git tracks, test data aside.
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

// checkPath asks that a module's path is its folder below a prefix that all modules share: tags and
// proxies find it there.
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
		return fmt.Errorf("the path %s does not begin with %s, as others do", m.path, r.prefix)
	}
	return nil
}

// compareLists holds versions.yaml against the go.mod files.
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

// inOrder returns the published modules so that each comes after its requirements.
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

// checkVersion settles the version and the one before it. A pre-release belongs to the version in
// versions.yaml.
func (r *release) checkVersion(set string) error {
	if !validVersion(set) || semver.Prerelease(set) != "" {
		return fmt.Errorf("versions.yaml: %q is no version of the form v1.2.3", set)
	}
	if r.version == "" {
		if !r.dryRun {
			return fmt.Errorf("no version given: make release VERSION=%s", set)
		}
		r.version = set + "-dev." + r.time.Format("20060102150405")
	}
	if !validVersion(r.version) {
		return fmt.Errorf("%q is no version of the form v1.2.3 or v1.2.3-rc.1", r.version)
	}
	if without := strings.TrimSuffix(r.version, semver.Prerelease(r.version)); without != set {
		return fmt.Errorf("the version is %s, and versions.yaml says %s: change versions.yaml first", r.version, set)
	}
	for _, m := range r.modules {
		if err := modulepath.Check(m.path, r.version); err != nil {
			return err
		}
	}
	return r.checkHistory()
}

func validVersion(v string) bool {
	return semver.IsValid(v) && semver.Canonical(v) == v
}

func (r *release) checkClean(ctx context.Context) error {
	changed, err := r.root.lines(ctx, "status", "--porcelain", "--untracked-files=normal")
	if err != nil || len(changed) == 0 {
		return err
	}
	if len(changed) > 10 {
		changed = append(changed[:10], fmt.Sprintf("and %d more", len(changed)-10))
	}
	return fmt.Errorf("the tree has changes that are not committed:\n\t%s", strings.Join(changed, "\n\t"))
}

// checkChangelog asks for a section of the version. What is under Unreleased may become a pre-release.
func (r *release) checkChangelog() error {
	section, err := r.changes()
	if err == nil && strings.TrimSpace(section) == "" {
		err = fmt.Errorf("CHANGELOG.md has no section `## [%s] - YYYY-MM-DD` with changes in it", strings.TrimPrefix(r.version, "v"))
	}
	return err
}

// changes returns the text of the version's section.
func (r *release) changes() (string, error) {
	sections, err := r.changelog()
	section, ok := sections["["+strings.TrimPrefix(r.version, "v")+"]"]
	if !ok && semver.Prerelease(r.version) != "" {
		section = sections["[Unreleased]"]
	}
	return section, err
}

// changelog returns the sections of CHANGELOG.md by their names, such as [0.1.0]. A release has a date.
func (r *release) changelog() (map[string]string, error) {
	text, err := os.ReadFile(r.root.path("CHANGELOG.md"))
	sections := map[string]string{}
	for _, section := range strings.Split("\n"+string(text), "\n## ")[1:] {
		title, body, _ := strings.Cut(section, "\n")
		name, date, _ := strings.Cut(strings.TrimSpace(title), " - ")
		if date != "" || name == "[Unreleased]" {
			sections[name] = body
		}
	}
	return sections, err
}

// checkFiles looks at what the modules' zips are made of.
func (r *release) checkFiles(ctx context.Context) error {
	var failures []error
	licence, err := os.ReadFile(r.root.path("LICENSE"))
	if err != nil {
		return err
	}
	for _, m := range r.modules {
		own, err := os.ReadFile(r.root.path(m.folder, "LICENSE"))
		if err != nil || !bytes.Equal(own, licence) {
			failures = append(failures, errors.Join(err, fmt.Errorf("%s/LICENSE is not the repository's: a module's zip has nothing from above its folder", m.folder)))
		}
		failures = append(failures, m.checkDirectives(r.modules))
	}
	attributes, err := r.root.lines(ctx, "ls-files", ".gitattributes", "*/.gitattributes")
	if err != nil {
		return err
	}
	for _, name := range attributes {
		text, err := os.ReadFile(r.root.path(filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		for _, word := range []string{"export-ignore", "export-subst"} {
			if strings.Contains(string(text), word) {
				failures = append(failures, fmt.Errorf("%s has %s: zips would not hold the files as they are in git", name, word))
			}
		}
	}
	return errors.Join(failures...)
}

// checkDirectives refuses lines of a go.mod that users would inherit, or that would not reach them.
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

// readCommitter asks git for the name in the release commit. A dry run needs none.
func (r *release) readCommitter(ctx context.Context) error {
	name, email := "dry run", "dry-run@localhost"
	if !r.dryRun {
		identity, err := r.root.git(ctx, "var", "GIT_COMMITTER_IDENT") // name <email> seconds zone
		if err != nil {
			return fmt.Errorf("git has no identity for the release commit: git config user.name and user.email\n%w", err)
		}
		name, email, _ = strings.Cut(identity, " <")
		email, _, _ = strings.Cut(email, ">")
	}
	for _, role := range []string{"GIT_AUTHOR_", "GIT_COMMITTER_"} {
		r.committer = append(r.committer, role+"NAME="+name, role+"EMAIL="+email)
	}
	return nil
}
