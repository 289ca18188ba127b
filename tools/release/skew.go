package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// checkSkew tests each module of the last release with its siblings of this one, and the reverse: users
// update one module at a time, and a build picks the highest version that any of them requires. A pair
// that does not work is named in the changelog.
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
	// Each side gets a tree of its own, since the pairs change the go.mod files.
	fresh := repository(filepath.Join(r.stage, "skew"))
	if err := r.root.extract(ctx, r.base, string(fresh)); err != nil {
		return err
	}
	var failures []error
	for _, m := range r.modules {
		if len(m.siblings) == 0 || !exists(old.path(m.folder, "go.mod")) {
			continue
		}
		for _, pair := range []struct {
			tree, others     repository
			version, sibling string
		}{
			{old, fresh, r.last, r.version},
			{fresh, old, r.version, r.last},
		} {
			name := fmt.Sprintf("%s %s with siblings of %s", m.folder, pair.version, pair.sibling)
			if strings.Contains(changes, name) {
				continue
			}
			if err := r.testPair(ctx, env, m, pair.tree, pair.others); err != nil {
				failures = append(failures, fmt.Errorf("%s does not work: mend it, or name the pair in the changelog, in these words\n%w", name, err))
			}
		}
	}
	return errors.Join(failures...)
}

// testPair runs a module's tests with all its siblings from another tree.
func (r *release) testPair(ctx context.Context, env []string, m *module, tree, others repository) error {
	folder := tree.path(m.folder)
	modfile := filepath.Join(r.stage, "skew.mod")
	edit := []string{"mod", "edit", "-print"}
	for _, sibling := range r.modules {
		if sibling == m || !exists(others.path(sibling.folder, "go.mod")) {
			continue
		}
		relative, err := filepath.Rel(folder, others.path(sibling.folder)) // the whole path may hold an @
		if err != nil {
			return err
		}
		edit = append(edit, "-replace="+sibling.path+"="+filepath.ToSlash(relative))
	}
	text, err := command(ctx, folder, env, "go", edit...)
	if err != nil {
		return err
	}
	if err := writeFiles(map[string]string{modfile: text, strings.TrimSuffix(modfile, ".mod") + ".sum": ""}); err != nil {
		return err
	}
	_, err = command(ctx, folder, env, "go", "test", "-modfile="+modfile, "./...")
	return err
}
