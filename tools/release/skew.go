package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// checkSkew tests each module of the last release with its siblings of this release, and
// the reverse. Users update one module at a time, and a build picks the highest version
// required by any of them. The changelog must name a pair that does not work.
func (r *release) checkSkew(ctx context.Context) error {
	if r.last == "" {
		return nil
	}
	changes, err := r.changes()
	if err != nil {
		return err
	}
	old, err := r.extractLast(ctx)
	if err != nil {
		return err
	}
	env, err := r.environment(ctx)
	if err != nil {
		return err
	}
	// Each side gets its own tree, because the pairs change the go.mod files.
	fresh := repository(filepath.Join(r.stage, "skew"))
	if err := r.root.extract(ctx, r.base, string(fresh)); err != nil {
		return err
	}
	last := r.lastModules()
	var failures []error
	for _, m := range r.modules {
		if len(m.siblings) == 0 || !exists(old.path(m.folder, "go.mod")) {
			continue
		}
		for _, pair := range []pairing{
			{r.last, r.version, old, fresh, r.modules},
			{r.version, r.last, fresh, old, last},
		} {
			name := fmt.Sprintf("%s %s with siblings of %s", m.folder, pair.version, pair.another)
			if strings.Contains(changes, name) {
				continue
			}
			if err := r.testPair(ctx, env, m, pair); err != nil {
				failures = append(failures, fmt.Errorf("%s does not work: fix it, or name the pair in the changelog, in these words\n%w", name, err))
			}
		}
	}
	return errors.Join(failures...)
}

// pairing is a version and a tree for one module, and a different version and tree for its
// siblings.
type pairing struct {
	version, another string
	tree, others     repository
	siblings         []*module
}

// testPair runs a module's tests with all its siblings from another tree.
func (r *release) testPair(ctx context.Context, env []string, m *module, pair pairing) error {
	folder := pair.tree.path(m.folder)
	modfile := filepath.Join(r.stage, "skew.mod")
	edit := []string{"mod", "edit", "-print"}
	for _, sibling := range pair.siblings {
		if sibling.path == m.path {
			continue
		}
		relative, err := filepath.Rel(folder, pair.others.path(sibling.folder)) // the whole path may hold an @
		if err != nil {
			return err
		}
		edit = append(edit, "-replace="+sibling.path+"="+filepath.ToSlash(relative))
	}
	text, err := command(ctx, folder, env, "go", edit...)
	if err != nil {
		return err
	}
	sums, err := os.ReadFile(filepath.Join(folder, "go.sum"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err = errors.Join(
		os.WriteFile(modfile, []byte(text), 0o644),
		os.WriteFile(strings.TrimSuffix(modfile, ".mod")+".sum", sums, 0o644),
	)
	if err != nil {
		return err
	}
	_, err = command(ctx, folder, env, "go", "test", "-modfile="+modfile, "./...")
	return err
}
