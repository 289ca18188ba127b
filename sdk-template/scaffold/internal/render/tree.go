// Package render makes the files of a repository from those of the template.
package render

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/tool"
)

// Tree has the content of each file of a folder by its path, with slashes.
type Tree map[string][]byte

// Paths returns the paths of all files, sorted.
func (t Tree) Paths() []string { return slices.Sorted(maps.Keys(t)) }

// ReadModule returns the files of a module in the module cache, or of any other
// folder without version control.
func ReadModule(dir string) (Tree, error) {
	var paths []string
	err := filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == ".git":
			return fs.SkipDir
		case entry.IsDir():
			return nil
		}
		rel, err := filepath.Rel(dir, file)
		paths = append(paths, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		return nil, err
	}
	return read(dir, paths)
}

// ReadFolder returns the files of a folder in a clone: those that git has or
// would take. Outside of a repository it is ReadModule.
func ReadFolder(ctx context.Context, dir string) (Tree, error) {
	git := tool.Git(dir)
	if _, err := git.Run(ctx, "rev-parse", "--is-inside-work-tree"); err != nil {
		return ReadModule(dir)
	}
	out, err := git.Run(ctx, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	paths := slices.DeleteFunc(strings.Split(out, "\x00"), func(p string) bool {
		_, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(p)))
		return p == "" || os.IsNotExist(err) // removed, and not yet committed
	})
	return read(dir, paths)
}

// read leaves out nested modules, as a module's zip does.
func read(dir string, paths []string) (Tree, error) {
	var nested []string
	for _, p := range paths {
		if path.Base(p) == "go.mod" && p != "go.mod" {
			nested = append(nested, path.Dir(p)+"/")
		}
	}
	tree := Tree{}
	for _, p := range paths {
		if slices.ContainsFunc(nested, func(dir string) bool { return strings.HasPrefix(p, dir) }) {
			continue
		}
		file := filepath.Join(dir, filepath.FromSlash(p))
		info, err := os.Lstat(file)
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is no regular file: a template holds neither links nor devices", file)
		}
		if tree[p], err = os.ReadFile(file); err != nil {
			return nil, err
		}
	}
	return tree, nil
}

// Write writes all files below dir.
func (t Tree) Write(dir string) error {
	for _, p := range t.Paths() {
		file := filepath.Join(dir, filepath.FromSlash(p))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, t[p], 0o644); err != nil {
			return err
		}
	}
	return nil
}
