// Modulepath moves this repository to another module path:
//
//	modulepath [-buf owner/name] new-path
//
// Run it at the root of a clean work tree; it changes only that tree. In each file in git,
// it replaces the present path with the new one, and likewise the module's name on buf's
// registry. Generated Go code stores the path behind its length, so `make generate`
// regenerates it. On failure or interruption the program restores the tree from git, and
// exits with status 1.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

func main() {
	bufModule := flag.String("buf", "", "the module's `owner/name` on buf's registry (default: the last two elements of the new path)")
	flag.Parse()

	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(context.Background(), os.Stdout, ".", flag.Arg(0), *bufModule); err != nil {
		fmt.Fprintln(os.Stderr, "modulepath:", err)
		os.Exit(1)
	}
}

// run moves the work tree in root to a module path. It completes all possible checks before
// the first write.
func run(ctx context.Context, out io.Writer, root, path, bufModule string) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()

	tree := worktree(root)
	if err := tree.checkReady(ctx); err != nil {
		return err
	}
	m, err := plan(ctx, tree, path, bufModule)
	if err != nil {
		return err
	}
	if err := m.apply(ctx, out); err != nil {
		if restoreErr := tree.restore(context.WithoutCancel(ctx)); restoreErr != nil {
			return fmt.Errorf("%w\nRestoring the tree failed: %w\nRestore it with `git reset --hard && git clean -fd`", err, restoreErr)
		}
		return fmt.Errorf("%w\nThe tree is restored", err)
	}
	return nil
}

// move is a move from one pair of names to another.
type move struct {
	tree     worktree
	old, new names
	rename   renaming
	// links are the files with links to the web site at the old path.
	links []string
}

// names are the published names of the repository.
type names struct {
	path string // the module path, without a module's folder
	buf  string // the module on buf's registry: registry/owner/name
}

// plan reads the present names from the tree and checks the new names.
func plan(ctx context.Context, tree worktree, path, bufModule string) (*move, error) {
	old, folders, err := tree.modules(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkPath(path, old, folders); err != nil {
		return nil, err
	}
	oldBuf, err := tree.bufModule()
	if err != nil {
		return nil, err
	}
	newBuf, err := newBufModule(oldBuf, path, bufModule)
	if err != nil {
		return nil, err
	}
	m := &move{tree: tree, old: names{old, oldBuf}, new: names{path, newBuf}}
	m.rename = newRenaming(m.old, m.new)
	return m, nil
}

// apply renames in every file, regenerates code, searches for the old path again, and
// reports.
func (m *move) apply(ctx context.Context, out io.Writer) error {
	files, err := m.tree.files(ctx)
	if err != nil {
		return err
	}
	for _, name := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := m.rewrite(name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	fmt.Fprintln(out, "Running make generate. The first build of buf takes some minutes.")
	if err := m.tree.generate(ctx, out); err != nil {
		return err
	}
	if err := m.checkNoneLeft(ctx); err != nil {
		return err
	}
	return m.report(ctx, out)
}

// rewrite renames in one file if the file contains the old path.
func (m *move) rewrite(name string) error {
	text, err := m.tree.read(name)
	if err != nil {
		return err
	}
	renamed, err := m.rename.file(name, text)
	if err != nil || slices.Equal(renamed, text) {
		return err
	}
	if strings.Contains(string(text), "https://"+m.old.path) {
		m.links = append(m.links, name)
	}
	// The file exists and keeps its mode.
	return os.WriteFile(filepath.Join(string(m.tree), filepath.FromSlash(name)), renamed, 0o600)
}

// checkNoneLeft fails if a file of the tree, or a file's name, still contains the old path.
func (m *move) checkNoneLeft(ctx context.Context) error {
	files, err := m.tree.files(ctx)
	if err != nil {
		return err
	}
	var failures []error
	for _, name := range files {
		text, err := m.tree.read(name)
		if err != nil {
			return err
		}
		switch {
		case m.rename.isIn([]byte(name)):
			failures = append(failures, fmt.Errorf("%s: the file's name contains the old path: rename the file first", name))
		case !m.rename.isIn(text):
		case isGenerated(name, text):
			failures = append(failures, fmt.Errorf("%s: still contains %s: `make generate` does not write this generated file", name, m.old.path))
		default:
			failures = append(failures, fmt.Errorf("%s: still contains %s in an unknown form: change it first", name, m.old.path))
		}
	}
	return errors.Join(failures...)
}
