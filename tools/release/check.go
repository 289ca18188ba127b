package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
	"golang.org/x/sync/errgroup"
)

// platforms are the platforms checked for needed requirements.
var platforms = []string{"linux", "darwin", "windows"}

// licences are the accepted licences for dependencies of an Apache-2.0 module, by SPDX
// name.
var licences = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0", "Unlicense"}

// checkRequirements refuses requirements used only by tests, because users inherit all
// requirements. Modules that contain only programs are exempt: nobody inherits from them.
// An indirect requirement may be that of a published module which a package needs: with that, users
// inherit it anyway.
func (r *release) checkRequirements(ctx context.Context) error {
	var failures []error
	for _, m := range r.modules {
		if programs, err := r.hasProgramsOnly(ctx, m); err != nil {
			return err
		} else if programs {
			continue
		}
		needed := map[string]bool{}
		for _, platform := range platforms {
			env, err := r.environment(ctx, "GOOS="+platform, "CGO_ENABLED=0")
			if err != nil {
				return err
			}
			output, err := command(ctx, r.clone.path(m.folder), env,
				"go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./...")
			if err != nil {
				return err
			}
			for name := range strings.FieldsSeq(output) {
				needed[name] = true
			}
		}
		inherited := map[string]bool{}
		for _, sibling := range m.siblings {
			for _, required := range sibling.file.Require {
				inherited[required.Mod.Path] = inherited[required.Mod.Path] || needed[sibling.path]
			}
		}
		for _, required := range m.file.Require {
			if !needed[required.Mod.Path] && !(required.Indirect && inherited[required.Mod.Path]) {
				failures = append(failures, fmt.Errorf("%s/go.mod requires %s, but only tests or tools need it", m.folder, required.Mod.Path))
			}
		}
	}
	return errors.Join(failures...)
}

// hasProgramsOnly reports whether other modules can import none of the module's packages.
func (r *release) hasProgramsOnly(ctx context.Context, m *module) (bool, error) {
	env, err := r.environment(ctx)
	if err != nil {
		return false, err
	}
	output, err := command(ctx, r.clone.path(m.folder), env, "go", "list", "-f", "{{.Name}} {{.ImportPath}}/", "./...")
	if err != nil {
		return false, err
	}
	for line := range strings.Lines(output) {
		if !strings.HasPrefix(line, "main ") && !strings.Contains(line, "/internal/") {
			return false, nil
		}
	}
	return true, nil
}

// checkAPI compares each module with the last release and writes the verdicts to api.txt.
// Before v1, a breaking change needs a new minor version; from v1 on, it cannot be
// released. From v1 on, an addition needs a new minor version.
func (r *release) checkAPI(ctx context.Context) error {
	report := new(bytes.Buffer)
	if r.last == "" {
		fmt.Fprintf(report, "%s is the first release: there is no API to compare with.\n", r.version)
		return os.WriteFile(r.result("api.txt"), report.Bytes(), 0o644)
	}
	old, err := r.extractLast(ctx)
	if err != nil {
		return err
	}
	var failures []error
	for _, m := range r.modules {
		broken, added, err := r.compareAPI(ctx, m, old, report)
		if err != nil {
			return err
		}
		if reason := r.refuseAPI(broken, added); reason != "" {
			failures = append(failures, fmt.Errorf("%s: %s", m.path, reason))
		}
	}
	for _, m := range r.lastModules() {
		if !slices.ContainsFunc(r.modules, func(now *module) bool { return now.path == m.path }) {
			fmt.Fprintf(report, "== %s: no longer published\n", m.path)
		}
	}
	if len(failures) > 0 {
		return fmt.Errorf("%w\n%s", errors.Join(failures...), report)
	}
	return os.WriteFile(r.result("api.txt"), report.Bytes(), 0o644)
}

func (r *release) refuseAPI(broken, added bool) string {
	sameMinor := semver.MajorMinor(r.version) == semver.MajorMinor(r.last)
	stable := semver.Major(r.version) != "v0"
	switch {
	case broken && stable:
		return "an incompatible change needs a new major version, so another module path"
	case broken && sameMinor:
		return fmt.Sprintf("an incompatible change needs a new minor version, and %s is a patch of %s", r.version, r.last)
	case added && stable && sameMinor:
		return fmt.Sprintf("an addition needs a new minor version, and %s is a patch of %s", r.version, r.last)
	}
	return ""
}

// compareAPI runs apidiff for one module and adds its verdict to the report.
func (r *release) compareAPI(ctx context.Context, m *module, old repository, report *bytes.Buffer) (broken, added bool, err error) {
	if !exists(old.path(m.folder, "go.mod")) {
		fmt.Fprintf(report, "== %s: new\n", m.path)
		return false, false, nil
	}
	env, err := r.environment(ctx)
	if err != nil {
		return false, false, err
	}
	var exports [2]string
	for i, tree := range []repository{old, r.clone} {
		exports[i] = filepath.Join(r.stage, fmt.Sprintf("export-%d", i))
		if _, err := command(ctx, tree.path(m.folder), env, r.tool("apidiff"), "-m", "-w", exports[i], m.path); err != nil {
			return false, false, err
		}
	}
	output, err := command(ctx, r.stage, env, r.tool("apidiff"), "-m", exports[0], exports[1])
	if err != nil {
		return false, false, err
	}
	broken = strings.Contains(output, "Incompatible changes:")
	added = strings.Contains(output, "Compatible changes:")
	verdict := "the same"
	switch {
	case broken:
		verdict = "incompatible"
	case added:
		verdict = "compatible, with additions"
	}
	fmt.Fprintf(report, "== %s: %s\n%s", m.path, verdict, output)
	return broken, added, nil
}

// buildProtos compares the .proto files with the last release and writes their released
// forms. Its paths are relative: make splits paths at spaces, and buf splits them at #.
func (r *release) buildProtos(ctx context.Context) error {
	buf := r.tool("buf")
	if r.last != "" {
		if _, err := r.extractLast(ctx); err != nil {
			return err
		}
		if _, err := command(ctx, string(r.clone), os.Environ(), buf, "breaking", "proto", "--against", "../last/proto"); err != nil {
			return fmt.Errorf("the .proto files break the promises of %s:\n%w", r.last, err)
		}
	}
	if semver.Prerelease(r.version) == "" {
		if err := r.checkReleasedProtos(ctx, buf); err != nil {
			return err
		}
	}
	if err := os.Symlink(buf, filepath.Join(r.stage, "buf")); err != nil {
		return err
	}
	_, err := command(ctx, string(r.clone), os.Environ(), "make", "proto-image", "BUF=../buf", "PROTO_IMAGE=../release")
	return err
}

// checkReleasedProtos requires proto/released.binpb to equal this release, because later
// changes are compared with it.
func (r *release) checkReleasedProtos(ctx context.Context, buf string) error {
	const now = "../released.binpb"
	if _, err := command(ctx, string(r.clone), os.Environ(), buf, "build", "proto", "--exclude-source-info", "-o", now); err != nil {
		return err
	}
	want, err := os.ReadFile(r.clone.path(now))
	if err != nil {
		return err
	}
	have, err := os.ReadFile(r.clone.path("proto", "released.binpb"))
	if err != nil {
		return err
	}
	if !bytes.Equal(want, have) {
		return errors.New("proto/released.binpb differs from this release: run `make proto-released` and commit it")
	}
	return nil
}

// buildMaterials writes a software bill of materials for each module, and refuses
// dependencies without an accepted licence.
func (r *release) buildMaterials(ctx context.Context) error {
	if err := os.MkdirAll(r.result("sbom"), 0o755); err != nil {
		return err
	}
	env, err := r.environment(ctx)
	if err != nil {
		return err
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.NumCPU())
	names := make([]string, len(r.modules))
	for i, m := range r.modules {
		names[i] = r.result("sbom", strings.ReplaceAll(m.folder, "/", "-")+".cdx.json")
		group.Go(func() error { return r.writeMaterials(groupCtx, env, m, names[i]) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	bad := map[string]string{}
	for _, name := range names {
		if err := findLicences(name, r.prefix, bad); err != nil {
			return err
		}
	}
	var failures []error
	for _, name := range slices.Sorted(maps.Keys(bad)) {
		failures = append(failures, fmt.Errorf("%s: %s", name, bad[name]))
	}
	return errors.Join(failures...)
}

// writeMaterials writes one module's bill of materials. The tool reads the version from the
// repository's plain tags, and they do not apply to a module in a folder. So writeMaterials
// corrects the version afterwards.
func (r *release) writeMaterials(ctx context.Context, env []string, m *module, name string) error {
	args := []string{"mod", "-json", "-type=library", "-noserial", "-notimestamp", "-output", name}
	if len(m.file.Require) > len(m.siblings) {
		// Detecting licences takes seconds per module, and our own licence is known.
		args = append(args, "-licenses")
	}
	if _, err := command(ctx, r.clone.path(m.folder), env, r.tool("cyclonedx-gomod"), append(args, ".")...); err != nil {
		return err
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var bill struct {
		Metadata struct{ Component struct{ Version string } }
	}
	if err := json.Unmarshal(text, &bill); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	guess := bill.Metadata.Component.Version
	if guess == "" {
		return fmt.Errorf("%s: the bill of materials has no version", name)
	}
	return os.WriteFile(name, bytes.ReplaceAll(text, []byte(guess), []byte(r.version)), 0o644)
}

// findLicences collects the components of a bill of materials without an accepted licence.
func findLicences(name, prefix string, bad map[string]string) error {
	type licence struct {
		License struct{ ID, Name string } `json:"license"`
	}
	var bill struct {
		Components []struct {
			Name     string `json:"name"`
			Licenses []licence
			Evidence struct{ Licenses []licence }
		}
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &bill); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, component := range bill.Components {
		if strings.HasPrefix(component.Name, prefix+"/") {
			continue
		}
		found := slices.Concat(component.Licenses, component.Evidence.Licenses)
		if len(found) == 0 {
			bad[component.Name] = "no licence found"
		}
		for _, l := range found {
			if !slices.Contains(licences, l.License.ID) {
				bad[component.Name] = fmt.Sprintf("its licence is %s%s, and the accepted licences are %s", l.License.ID, l.License.Name, strings.Join(licences, ", "))
			}
		}
	}
	return nil
}
