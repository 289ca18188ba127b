// Modulepath moves this repository to another module path:
//
//	modulepath [-buf owner/name] new-path
//
// It runs at the root of a clean work tree, and changes that tree only. Each file in git that names the
// present path gets the new one; a name of the module on buf's registry follows. Generated Go code
// carries the path behind a length, so `make generate` makes it again. If anything fails, or the program
// is interrupted, the tree is put back as git has it. The exit status is 1 then.
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

// run moves the work tree in root to a module path. Before the first write everything is checked that
// can be.
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
			return fmt.Errorf("%w\nThe tree could not be put back: %w\n`git reset --hard && git clean -fd` does that", err, restoreErr)
		}
		return fmt.Errorf("%w\nThe tree is as it was before", err)
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

// names are the names under which the repository is published.
type names struct {
	path string // the module path, without a module's folder
	buf  string // the module on buf's registry: registry/owner/name
}

// plan reads the present names from the tree, and checks the new ones.
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

// apply renames in every file, generates, looks for the old path again, and reports.
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

// rewrite renames in one file, if that names the old path.
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
	// The file exists, and keeps its mode.
	return os.WriteFile(filepath.Join(string(m.tree), filepath.FromSlash(name)), renamed, 0o600)
}

// checkNoneLeft fails if a file of the tree, or its name, still has the old path.
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
			failures = append(failures, fmt.Errorf("%s: the file's name has the old path: rename the file first", name))
		case !m.rename.isIn(text):
		case isGenerated(name, text):
			failures = append(failures, fmt.Errorf("%s: still names %s: `make generate` does not make this generated file", name, m.old.path))
		default:
			failures = append(failures, fmt.Errorf("%s: still names %s, in a form that cannot be renamed: change it first", name, m.old.path))
		}
	}
	return errors.Join(failures...)
}
