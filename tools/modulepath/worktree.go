package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/mod/modfile"
)

// worktree is the root folder of a git work tree. File names are relative to it and use
// git's form, with slashes.
type worktree string

// checkReady fails unless the folder is the root of a work tree that restore can restore.
func (w worktree) checkReady(ctx context.Context) error {
	prefix, err := w.git(ctx, "rev-parse", "--show-prefix")
	if err != nil {
		return err
	}
	if folder := strings.TrimSpace(prefix); folder != "" {
		return fmt.Errorf("this is the folder %s of the repository: run it at the root", folder)
	}
	if _, err := w.git(ctx, "rev-parse", "--verify", "--quiet", "HEAD"); err != nil {
		return errors.New("the repository has no commit to restore the tree from: commit first")
	}
	// Override git's configuration: restore removes new files.
	status, err := w.git(ctx, "status", "--porcelain", "--untracked-files=normal")
	if err != nil {
		return err
	}
	if status != "" {
		const most = 10
		lines := strings.SplitAfter(status, "\n")
		if len(lines) > most {
			lines = append(lines[:most], "...")
		}
		return fmt.Errorf("the tree has uncommitted changes: commit or stash them first\n%s", strings.TrimRight(strings.Join(lines, ""), "\n"))
	}
	return nil
}

// modules returns the repository's module path and the folders of its modules. The path is
// that of the module tools without its folder.
func (w worktree) modules(ctx context.Context) (string, []string, error) {
	text, err := w.read("tools/go.mod")
	if err != nil {
		return "", nil, err
	}
	root, found := strings.CutSuffix(modfile.ModulePath(text), "/tools")
	if !found {
		return "", nil, fmt.Errorf("tools/go.mod: the module path %q does not end in /tools", modfile.ModulePath(text))
	}
	files, err := w.files(ctx)
	if err != nil {
		return "", nil, err
	}
	var folders []string
	for _, name := range files {
		if path.Base(name) != "go.mod" {
			continue
		}
		text, err := w.read(name)
		if err != nil {
			return "", nil, err
		}
		if folder := path.Dir(name); modfile.ModulePath(text) == root+"/"+folder {
			folders = append(folders, folder)
		}
	}
	return root, folders, nil
}

var bufName = regexp.MustCompile(`(?m)^\s*name: +(\S+)$`)

// bufModule returns the only module name in buf.yaml.
func (w worktree) bufModule() (string, error) {
	text, err := w.read("buf.yaml")
	if err != nil {
		return "", err
	}
	found := bufName.FindAllSubmatch(text, -1)
	if len(found) != 1 {
		return "", fmt.Errorf("buf.yaml: %d modules have a name, and this program moves exactly one", len(found))
	}
	return string(found[0][1]), nil
}

// files lists the tracked and the new files of the tree, without links, submodules and
// removed files.
func (w worktree) files(ctx context.Context) ([]string, error) {
	list, err := w.git(ctx, "ls-files", "-coz", "--exclude-standard")
	if err != nil {
		return nil, err
	}
	names := strings.Split(strings.TrimSuffix(list, "\x00"), "\x00")
	return slices.DeleteFunc(names, func(name string) bool {
		info, err := os.Lstat(filepath.Join(string(w), filepath.FromSlash(name)))
		return errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular()
	}), nil
}

// changed lists the files with changes since the last commit.
func (w worktree) changed(ctx context.Context) ([]string, error) {
	list, err := w.git(ctx, "status", "--porcelain", "--untracked-files=all", "-z")
	if err != nil {
		return nil, err
	}
	var names []string
	for line := range strings.SplitSeq(strings.TrimSuffix(list, "\x00"), "\x00") {
		const state = len(" M ")
		if len(line) > state {
			names = append(names, line[state:])
		}
	}
	return names, nil
}

func (w worktree) read(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(w), filepath.FromSlash(name)))
}

// generate runs `make generate`. When it returns, no process of make is left to write into
// the tree.
func (w worktree) generate(ctx context.Context, out io.Writer) error {
	cmd := exec.CommandContext(ctx, "make", "generate")
	cmd.Dir = string(w)
	cmd.Env = environment()
	// Force a pipe even if out is a file: then Wait returns only after the last process has
	// closed it.
	cmd.Stdout = struct{ io.Writer }{out}
	cmd.Stderr = cmd.Stdout
	// At SIGTERM, make ends its children.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	if err := cmd.Run(); err != nil {
		return errors.Join(ctx.Err(), fmt.Errorf("make generate: %w", err))
	}
	return nil
}

// restore resets the tree to the last commit. The tree was clean when the program began.
func (w worktree) restore(ctx context.Context) error {
	_, resetErr := w.git(ctx, "reset", "--quiet", "--hard")
	_, cleanErr := w.git(ctx, "clean", "--quiet", "-d", "--force")
	return errors.Join(resetErr, cleanErr)
}

// git runs git in the tree and returns its output.
func (w worktree) git(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = string(w)
	cmd.Env = environment()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w\n%s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return string(output), nil
}

// environment returns this program's environment without variables of make and git. make
// hands down its command line, with MODULE as a path instead of a folder; git hands down
// the repository of the running hook.
func environment() []string {
	inherited := []string{
		"MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "MODULE", "BUF_MODULE",
		"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX",
	}
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains(inherited, name)
	})
}
