package merge

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/render"
	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/tool"
)

// modFiles and their sums are merged by meaning.
var modFiles = []string{"go.mod", "tools.mod"}

// Merge is a merge in a separate worktree. It does not change the repository before Apply.
type Merge struct {
	Dir       string   // the folder in the worktree
	Sets      []string // descriptor sets of the result, below Dir
	Conflicts []string // files with conflicts

	repo     Repository
	worktree string
	unmerged []string // lines of `git ls-files --unmerged`
	tree     string   // hash of the result, when sealed
}

// Start merges the changes from base to next, two states of the template, into the
// repository's HEAD. The caller must regenerate derived files: the Go code and descriptor
// sets of .proto files, and go.sum.
func Start(ctx context.Context, repo Repository, base, next render.Tree, title string) (m *Merge, err error) {
	m = &Merge{repo: repo}
	theirs, err := m.commits(ctx, base, next, title)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.Close())
			m = nil
		}
	}()
	if err := m.addWorktree(ctx); err != nil {
		return m, err
	}
	// With base as the ancestor, picking the only commit between them is the merge.
	_, pickErr := tool.Git(m.worktree).Run(ctx,
		"-c", "merge.directoryRenames=true", "-c", "merge.renames=true", "-c", "rerere.enabled=false",
		"cherry-pick", "--no-commit", theirs)
	if err := m.findConflicts(ctx); err != nil {
		return m, err
	}
	if pickErr != nil && len(m.Conflicts) == 0 {
		return m, pickErr
	}
	if err := m.mergeMods(base, next); err != nil {
		return m, err
	}
	if err := m.sets(base, next); err != nil {
		return m, err
	}
	record := render.Tree{render.RecordFile: next[render.RecordFile]}
	return m, record.Write(m.Dir)
}

// commits stores both states and returns the later one. It leaves out files that git must
// not merge, and files deleted by the repository's owner.
func (m *Merge) commits(ctx context.Context, base, next render.Tree, title string) (string, error) {
	base, next = texts(base), texts(next)
	from, to, err := m.commitBoth(ctx, base, next, title)
	if err != nil {
		return "", err
	}
	owners, err := m.repo.changes(ctx, from, "HEAD")
	if err != nil {
		return "", err
	}
	templates, err := m.repo.changes(ctx, from, to)
	if err != nil {
		return "", err
	}
	for _, c := range owners {
		if c.kind != 'D' {
			continue
		}
		delete(base, c.path)
		delete(next, c.path)
		for _, t := range templates {
			if t.kind == 'R' && t.path == c.path {
				delete(next, t.to)
			}
		}
	}
	_, to, err = m.commitBoth(ctx, base, next, title)
	return to, err
}

func (m *Merge) commitBoth(ctx context.Context, base, next render.Tree, title string) (from, to string, err error) {
	if from, err = m.repo.commit(ctx, base, "the template before"); err == nil {
		to, err = m.repo.commit(ctx, next, title, from)
	}
	return from, to, err
}

func texts(tree render.Tree) render.Tree {
	tree = maps.Clone(tree)
	maps.DeleteFunc(tree, func(p string, _ []byte) bool {
		return render.IsGenerated(p) || p == render.RecordFile || slices.Contains(modFiles, p) || path.Ext(p) == ".sum"
	})
	return tree
}

// addWorktree makes the worktree beside the repository, because go.mod may replace a module
// with a folder there.
func (m *Merge) addWorktree(ctx context.Context) (err error) {
	m.worktree, err = os.MkdirTemp(filepath.Dir(m.repo.top), ".jackfield-update-*")
	if err != nil {
		m.worktree, err = os.MkdirTemp("", "jackfield-update-*")
	}
	if err != nil {
		return err
	}
	m.Dir = filepath.Join(m.worktree, filepath.FromSlash(m.repo.prefix))
	_, err = tool.Git(m.repo.top).Run(ctx, "worktree", "add", "--quiet", "--detach", m.worktree, "HEAD")
	return err
}

func (m *Merge) findConflicts(ctx context.Context) error {
	out, err := tool.Git(m.worktree).Run(ctx, "ls-files", "--unmerged", "-z")
	if err != nil {
		return err
	}
	for line := range strings.SplitSeq(out, "\x00") {
		_, p, ok := strings.Cut(line, "\t")
		if !ok {
			continue
		}
		m.unmerged = append(m.unmerged, line)
		if p = strings.TrimPrefix(p, m.repo.prefix); !slices.Contains(m.Conflicts, p) {
			m.Conflicts = append(m.Conflicts, p)
		}
	}
	return nil
}

// mergeMods merges go.mod and tools.mod, and joins the sums of both sides.
func (m *Merge) mergeMods(base, next render.Tree) error {
	for _, mod := range modFiles {
		sum := strings.TrimSuffix(mod, ".mod") + ".sum"
		ours, err := os.ReadFile(filepath.Join(m.Dir, mod))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		theirs, has := next[mod]
		was, had := base[mod]
		if !has || err != nil && had {
			continue // the template or the owner dropped it
		}
		sums, _ := os.ReadFile(filepath.Join(m.Dir, sum)) // go.sum may be missing
		result := render.Tree{mod: theirs, sum: next[sum]}
		if err == nil && !bytes.Equal(ours, was) {
			if result[mod], err = render.MergeMod(was, ours, theirs); err != nil {
				return fmt.Errorf("%s: %w", mod, err)
			}
			result[sum] = render.MergeSums(sums, next[sum])
		}
		if len(result[sum]) == 0 {
			delete(result, sum)
		}
		if err := result.Write(m.Dir); err != nil {
			return err
		}
	}
	return nil
}

// sets finds the descriptor sets of the result: the template's sets, except those deleted
// by the owner.
func (m *Merge) sets(base, next render.Tree) error {
	for _, tree := range []render.Tree{base, next} {
		for p := range tree {
			if path.Ext(p) != ".binpb" {
				continue
			}
			file := filepath.Join(m.Dir, filepath.FromSlash(p))
			_, err := os.Stat(file)
			_, had := base[p]
			if _, has := next[p]; !has {
				err = os.RemoveAll(file)
			} else if (err == nil || !had) && !slices.Contains(m.Sets, p) {
				m.Sets = append(m.Sets, p)
			}
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
	}
	slices.Sort(m.Sets)
	return nil
}

// seal stages everything in the worktree. The worktree stays unchanged afterwards.
func (m *Merge) seal(ctx context.Context) error {
	if m.tree != "" {
		return nil
	}
	git := tool.Git(m.worktree)
	if _, err := git.Run(ctx, "-c", "core.excludesFile="+os.DevNull, "add", "--all"); err != nil {
		return err
	}
	out, err := git.Run(ctx, "write-tree")
	m.tree = strings.TrimSpace(out)
	return err
}

// Changed returns a line for each file that Apply changes: a letter, and the
// path or paths. U is a conflict.
func (m *Merge) Changed(ctx context.Context) ([]string, error) {
	if err := m.seal(ctx); err != nil {
		return nil, err
	}
	changes, err := m.repo.changes(ctx, "HEAD", m.tree)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, c := range changes {
		switch {
		case c.to != "" && !slices.Contains(m.Conflicts, c.to):
			lines = append(lines, fmt.Sprintf("%c  %s => %s", c.kind, c.path, c.to))
		case !slices.Contains(m.Conflicts, c.path):
			lines = append(lines, fmt.Sprintf("%c  %s", c.kind, c.path))
		}
	}
	for _, p := range m.Conflicts {
		lines = append(lines, "U  "+p)
	}
	return lines, nil
}

// Diff returns the changes as a patch for `git apply`. The user's display settings do not
// affect it.
func (m *Merge) Diff(ctx context.Context) (string, error) {
	if err := m.seal(ctx); err != nil {
		return "", err
	}
	return tool.Git(m.repo.top).Run(ctx, "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--binary",
		"--src-prefix=a/", "--dst-prefix=b/", "--find-renames", "HEAD", m.tree)
}

// Apply writes the result into the repository's worktree and index. A conflict looks as
// after `git merge`: markers in the file, three stages in the index.
func (m *Merge) Apply(ctx context.Context) error {
	if err := m.seal(ctx); err != nil {
		return err
	}
	if err := m.checkUnknown(ctx); err != nil {
		return err
	}
	git := tool.Git(m.repo.top)
	ctx = context.WithoutCancel(ctx) // an interrupt would leave a partial update
	if _, err := git.Run(ctx, "read-tree", "-m", "-u", "HEAD", m.tree); err != nil {
		return fmt.Errorf("the repository is unchanged: %w", err)
	}
	if len(m.unmerged) == 0 {
		return nil
	}
	var info strings.Builder
	for _, line := range m.unmerged { // first remove the merged entry
		fields, p, _ := strings.Cut(line, "\t")
		hash := strings.Fields(fields)[1]
		fmt.Fprintf(&info, "0 %s\t%s\x00", strings.Repeat("0", len(hash)), p)
	}
	info.WriteString(strings.Join(m.unmerged, "\x00") + "\x00")
	_, err := git.RunWith(ctx, []byte(info.String()), "update-index", "-z", "--index-info")
	return err
}

// checkUnknown refuses to overwrite untracked files. Git itself would overwrite ignored
// files.
func (m *Merge) checkUnknown(ctx context.Context) error {
	changes, err := m.repo.changes(ctx, "HEAD", m.tree)
	if err != nil {
		return err
	}
	unknown, err := tool.Git(m.repo.Dir()).Run(ctx, "ls-files", "-z", "--others")
	if err != nil {
		return err
	}
	for file := range strings.SplitSeq(strings.TrimSuffix(unknown, "\x00"), "\x00") {
		for _, c := range changes {
			added := cmp.Or(c.to, c.path)
			if c.kind != 'A' && c.to == "" || file == "" {
				continue
			}
			if file == added || strings.HasPrefix(added, strings.TrimSuffix(file, "/")+"/") || strings.HasPrefix(file, added+"/") {
				return fmt.Errorf("the repository is unchanged: the untracked %s would be overwritten by the template's %s: move it first", file, added)
			}
		}
	}
	return nil
}

// Close removes the worktree.
func (m *Merge) Close() error {
	if m.worktree == "" {
		return nil
	}
	ctx := context.Background() // run it even after an interrupt
	git := tool.Git(m.repo.top)
	if _, err := git.Run(ctx, "worktree", "remove", "--force", m.worktree); err == nil {
		return nil
	}
	err := os.RemoveAll(m.worktree)
	_, pruneErr := git.Run(ctx, "worktree", "prune")
	return errors.Join(err, pruneErr)
}
