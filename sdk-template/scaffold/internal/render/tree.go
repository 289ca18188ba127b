// Package render renders the files of a repository from those of the template.
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

// Tree maps each file's path in a folder, with slashes, to its content.
type Tree map[string][]byte

// Paths returns the paths of all files, sorted.
func (t Tree) Paths() []string { return slices.Sorted(maps.Keys(t)) }

// ReadModule returns the files of a module in the module cache, or of another folder
// without version control.
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

// ReadFolder returns the files of a folder in a clone: the tracked files, and the untracked
// files except ignored ones. Outside a repository it is ReadModule.
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
		return p == "" || os.IsNotExist(err) // removed but not yet committed
	})
	return read(dir, paths)
}

// read omits nested modules, as a module's zip does.
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
			return nil, fmt.Errorf("%s is not a regular file: a template cannot contain links or devices", file)
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
