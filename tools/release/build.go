package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	modulepath "golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// makeStage makes the temporary folder with a clone, beside its final place. Its fixed name
// allows one run at a time in a repository.
func (r *release) makeStage(ctx context.Context) error {
	if err := os.MkdirAll(r.root.path("bin"), 0o755); err != nil {
		return err
	}
	r.stage = r.root.path("bin", ".release")
	if err := os.Mkdir(r.stage, 0o755); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists: another make release is running; if a killed one left it, remove the folder", r.stage)
	} else if err != nil {
		return err
	}
	r.clone = repository(filepath.Join(r.stage, "clone"))
	err := errors.Join(os.MkdirAll(r.result(), 0o755), r.root.extract(ctx, r.base, string(r.clone)))
	if err != nil {
		return errors.Join(err, os.RemoveAll(r.stage))
	}
	return nil
}

// result is the folder that becomes bin/release.
func (r *release) result(elements ...string) string {
	return filepath.Join(append([]string{r.stage, "release"}, elements...)...)
}

// environment is the environment of a user of the release: the release's modules come only
// from the new proxy. It has its own module cache, because a dry run may repeat a version
// with other contents. The real cache serves as a proxy for other modules.
func (r *release) environment(ctx context.Context, extra ...string) ([]string, error) {
	output, err := command(ctx, "", os.Environ(), "go", "env", "-json", "GOPROXY", "GOMODCACHE", "GONOSUMDB")
	if err != nil {
		return nil, err
	}
	var env struct{ GOPROXY, GOMODCACHE, GONOSUMDB string }
	if err := json.Unmarshal([]byte(output), &env); err != nil {
		return nil, err
	}
	proxies := []string{
		fileURL(r.result("proxy")),
		fileURL(filepath.Join(env.GOMODCACHE, "cache", "download")),
		env.GOPROXY,
	}
	own := []string{
		"GOWORK=off",
		"GOFLAGS=-mod=mod -modcacherw",
		"GOMODCACHE=" + filepath.Join(r.stage, "modcache"),
		"GOPROXY=" + strings.Join(proxies, ","),
		"GONOSUMDB=" + strings.Trim(env.GONOSUMDB+","+r.prefix, ","),
		"GOPRIVATE=", "GONOPROXY=none",
	}
	return slices.Concat(os.Environ(), own, extra), nil
}

// fileURL returns the address of a folder for GOPROXY, where commas separate addresses.
func fileURL(folder string) string {
	folder = filepath.ToSlash(folder)
	if !strings.HasPrefix(folder, "/") {
		folder = "/" + folder
	}
	address := url.URL{Scheme: "file", Path: folder}
	return strings.ReplaceAll(address.String(), ",", "%2C")
}

// buildModules makes the release commit and the module proxy together: each module is
// tidied against its siblings' zips, so its go.sum holds their hashes.
func (r *release) buildModules(ctx context.Context) error {
	if err := r.addEarlier(ctx); err != nil {
		return err
	}
	env, err := r.environment(ctx)
	if err != nil {
		return err
	}
	for _, m := range r.modules {
		if err := r.setRequirements(m); err != nil {
			return err
		}
		if _, err := command(ctx, r.clone.path(m.folder), env, "go", "mod", "tidy"); err != nil {
			return err
		}
		if err := r.checkTidy(m); err != nil {
			return err
		}
		if _, err := r.clone.git(ctx, "add", "-A", m.folder); err != nil {
			return err
		}
		if _, err := r.clone.git(ctx, "commit", "-q", "--allow-empty", "-m", "x"); err != nil {
			return err
		}
		if err := r.addToProxy(ctx, m, "HEAD", r.version, r.time); err != nil {
			return err
		}
	}
	return r.squash(ctx)
}

// setRequirements sets a module's sibling requirements to the released versions.
func (r *release) setRequirements(m *module) error {
	name := r.clone.path(m.folder, "go.mod")
	file, err := readModFile(name)
	if err != nil {
		return err
	}
	for _, sibling := range m.siblings {
		if err := file.AddRequire(sibling.path, r.version); err != nil {
			return err
		}
	}
	for _, replace := range slices.Clone(file.Replace) {
		if err := file.DropReplace(replace.Old.Path, replace.Old.Version); err != nil {
			return err
		}
	}
	file.Cleanup()
	text, err := file.Format()
	if err != nil {
		return err
	}
	return os.WriteFile(name, text, 0o644)
}

// checkTidy refuses a module if tidying changed any requirement beside the siblings'
// versions: nobody has tested the other versions.
func (r *release) checkTidy(m *module) error {
	file, err := readModFile(r.clone.path(m.folder, "go.mod"))
	if err != nil {
		return err
	}
	before := requirements(m.file, m.siblings)
	if after := requirements(file, m.siblings); !maps.Equal(before, after) {
		return fmt.Errorf("%s/go.mod is not tidy: run go mod tidy there; it requires %v, and tidied %v", m.folder, before, after)
	}
	return nil
}

// requirements returns the required versions in a go.mod, with "" for the siblings.
func requirements(file *modfile.File, siblings []*module) map[string]string {
	versions := map[string]string{}
	for _, required := range file.Require {
		versions[required.Mod.Path] = required.Mod.Version
	}
	for _, sibling := range siblings {
		versions[sibling.path] = ""
	}
	return versions
}

// squash replaces the clone's commits with one commit. Its parent is the released commit,
// and it has that commit's time, so that the same commit always gives the same release.
func (r *release) squash(ctx context.Context) error {
	when := fmt.Sprintf("%d +0000", r.time.Unix())
	env := slices.Concat(os.Environ(), r.committer, []string{"GIT_AUTHOR_DATE=" + when, "GIT_COMMITTER_DATE=" + when})
	message := fmt.Sprintf("Release %s\n\nSibling requirements are set to %[1]s, and replace lines dropped. Only tags point here.", r.version)
	output, err := command(ctx, string(r.clone), env, "git", "commit-tree", "HEAD^{tree}", "-p", r.base, "-m", message)
	if err != nil {
		return err
	}
	if _, err := r.clone.git(ctx, "reset", "-q", "--hard", strings.TrimSpace(output)); err != nil {
		return err
	}
	for _, m := range r.modules {
		if _, err := r.clone.git(ctx, "tag", m.tag(r.version)); err != nil {
			return err
		}
	}
	return nil
}

// addToProxy writes one module version into the proxy. It makes the zip from the commit,
// because the folder may contain ignored files.
func (r *release) addToProxy(ctx context.Context, m *module, commit, version string, when time.Time) error {
	escaped, err := modulepath.EscapePath(m.path)
	if err != nil {
		return err
	}
	folder := r.result("proxy", filepath.FromSlash(escaped), "@v")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	if err := r.writeZip(m, commit, version, filepath.Join(folder, version+".zip")); err != nil {
		return err
	}
	text, err := r.clone.git(ctx, "show", commit+":"+m.folder+"/go.mod")
	if err != nil {
		return err
	}
	info, err := json.Marshal(map[string]any{"Version": version, "Time": when})
	if err != nil {
		return err
	}
	list, err := os.OpenFile(filepath.Join(folder, "list"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(list, version)
	return errors.Join(err, list.Close(),
		os.WriteFile(filepath.Join(folder, version+".mod"), []byte(text+"\n"), 0o644),
		os.WriteFile(filepath.Join(folder, version+".info"), info, 0o644))
}

// writeZip makes a module's zip from a commit.
func (r *release) writeZip(m *module, commit, version, name string) error {
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	mod := modulepath.Version{Path: m.path, Version: version}
	if err := errors.Join(zip.CreateFromVCS(out, mod, string(r.clone), commit, m.folder), out.Close()); err != nil {
		return fmt.Errorf("%s: %w", mod, err)
	}
	return nil
}
