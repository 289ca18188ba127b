// Package merge merges the difference between two states of a template into a repository
// made from it. Git does the merge in a separate worktree, so a failure leaves the
// repository unchanged.
package merge

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/render"
	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/tool"
)

// Repository is a git repository with a folder made from a template.
type Repository struct {
	top    string // the worktree
	prefix string // the folder below top, with a slash at its end; may be empty
	gitDir string
}

// Open returns the repository of the folder.
func Open(ctx context.Context, dir string) (Repository, error) {
	git := tool.Git(dir)
	out, err := git.Run(ctx, "rev-parse", "--show-toplevel", "--show-prefix", "--absolute-git-dir")
	if err != nil {
		return Repository{}, fmt.Errorf("an update needs a git repository, so that it can be undone: %w", err)
	}
	lines := strings.Split(out, "\n")
	if len(lines) < 3 {
		return Repository{}, fmt.Errorf("git rev-parse: unexpected answer %q", out)
	}
	r := Repository{top: filepath.FromSlash(lines[0]), prefix: lines[1], gitDir: lines[2]}
	if _, err := git.Run(ctx, "rev-parse", "--verify", "HEAD"); err != nil {
		return Repository{}, errors.New("the repository has no commit yet: commit first, so that an update can be undone")
	}
	return r, nil
}

// Dir returns the folder made from the template.
func (r Repository) Dir() string { return filepath.Join(r.top, filepath.FromSlash(r.prefix)) }

// RequireClean returns an error unless all tracked files are committed: otherwise git could
// not undo the next steps. Untracked files count too if untracked is "normal", and not if
// it is "no".
func RequireClean(ctx context.Context, dir, untracked string) error {
	out, err := tool.Git(dir).Run(ctx, "status", "--porcelain", "--untracked-files="+untracked)
	if err != nil {
		return err
	}
	if out != "" {
		return fmt.Errorf("there are uncommitted changes; commit or stash them first:\n%s", strings.TrimRight(out, "\n"))
	}
	return nil
}

// commit stores a state of the template as a commit, and returns its hash. No branch refers
// to it, so git removes it eventually.
func (r Repository) commit(ctx context.Context, tree render.Tree, message string, parents ...string) (string, error) {
	aside, err := os.MkdirTemp("", "jackfield-template-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(aside)
	files := filepath.Join(aside, "files")
	if err := os.Mkdir(files, 0o700); err != nil {
		return "", err
	}
	if err := tree.Write(filepath.Join(files, filepath.FromSlash(r.prefix))); err != nil {
		return "", err
	}
	git := tool.Git(files).With(
		"GIT_DIR="+r.gitDir, "GIT_WORK_TREE="+files, "GIT_INDEX_FILE="+filepath.Join(aside, "index"),
		"GIT_AUTHOR_NAME=scaffold", "GIT_AUTHOR_EMAIL=scaffold@localhost",
		"GIT_COMMITTER_NAME=scaffold", "GIT_COMMITTER_EMAIL=scaffold@localhost",
	)
	if _, err := git.Run(ctx, "add", "--all", "--force", "."); err != nil {
		return "", err
	}
	hash, err := git.Run(ctx, "write-tree")
	if err != nil {
		return "", err
	}
	args := []string{"commit-tree", strings.TrimSpace(hash), "-m", message}
	for _, parent := range parents {
		args = append(args, "-p", parent)
	}
	hash, err = git.Run(ctx, args...)
	return strings.TrimSpace(hash), err
}

// change is a difference between two commits: a letter (A, D, M, R, T) and the paths,
// relative to the folder. Only a renamed file has two paths.
type change struct {
	kind     byte
	path, to string
}

func (r Repository) changes(ctx context.Context, from, to string) ([]change, error) {
	out, err := tool.Git(r.top).Run(ctx, "diff", "--name-status", "--find-renames", "-z", from, to, "--", "./"+r.prefix)
	if err != nil {
		return nil, err
	}
	var changes []change
	fields := strings.Split(out, "\x00")
	for len(fields) >= 2 && fields[0] != "" {
		c := change{kind: fields[0][0], path: strings.TrimPrefix(fields[1], r.prefix)}
		fields = fields[2:]
		if c.kind == 'R' && len(fields) > 0 {
			c.to, fields = strings.TrimPrefix(fields[0], r.prefix), fields[1:]
		}
		changes = append(changes, c)
	}
	return changes, nil
}
