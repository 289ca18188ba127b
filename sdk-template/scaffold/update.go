package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/merge"
	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/protogen"
	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/render"
	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/tool"
)

// updateFlags name the template and the version of an update.
type updateFlags struct {
	from sourceFlags
	to   string // version
	base string // folder of the old template
	// changes reports whether the command changes the repository.
	changes bool
}

func (c *cli) updateFlags(name string, args []string, more func(*flag.FlagSet)) (updateFlags, error) {
	var f updateFlags
	set := c.flags(name)
	f.from.register(set)
	set.StringVar(&f.to, "to", "", "`VERSION` of the template, or latest (default: the version of this program)")
	set.StringVar(&f.base, "base", "", "`FOLDER` with the old template, if the repository was made from a folder")
	if more != nil {
		more(set)
	}
	_, err := parse(set, args, 0)
	if err == nil && f.to != "" && f.from.template != "" {
		err = usageError{errors.New("-to and -template exclude each other")}
	}
	return f, err
}

func (c *cli) updateCommand(ctx context.Context, args []string) error {
	var dry bool
	f, err := c.updateFlags("update", args, func(set *flag.FlagSet) {
		set.BoolVar(&dry, "dry-run", false, "list the files to change, without changing them")
	})
	if err != nil {
		return err
	}
	f.changes = !dry
	applied := false
	err = c.update(ctx, f, func(ctx context.Context, m *merge.Merge) error {
		changed, err := m.Changed(ctx)
		if err != nil {
			return err
		}
		for _, file := range changed {
			c.sayf("%s", file)
		}
		if len(changed) == 0 {
			c.sayf("Nothing changes.")
		}
		if dry || len(changed) == 0 {
			return nil
		}
		applied = true
		return m.Apply(ctx)
	})
	switch {
	case applied && err == nil:
		c.sayf("\nDone: the changes are staged. `git diff --cached` shows them, `git reset --hard` drops them.")
	case applied && errors.Is(err, errConflicts):
		c.sayf("Resolve and stage them, then run `scaffold generate`. `git reset --hard` drops the update.")
	}
	return err
}

func (c *cli) diffCommand(ctx context.Context, args []string) error {
	f, err := c.updateFlags("diff", args, nil)
	if err != nil {
		return err
	}
	patch := ""
	quiet := *c
	quiet.out = c.err // the patch is the only output
	err = quiet.update(ctx, f, func(ctx context.Context, m *merge.Merge) error {
		var err error
		patch, err = m.Diff(ctx)
		return err
	})
	fmt.Fprint(c.out, patch)
	return err
}

func (c *cli) checkCommand(ctx context.Context, args []string) error {
	f, err := c.updateFlags("check", args, nil)
	if err != nil {
		return err
	}
	u, err := openUpdate(ctx, f)
	if err != nil {
		return err
	}
	if u.target() == render.Development || u.record.Version == render.Development {
		return usageError{errors.New("a folder has no version to compare with: run `scaffold diff` to see the changes")}
	}
	if u.current() {
		c.sayf("This repository is at %s %s: there is nothing newer.", u.record.Template, u.record.Version)
		return nil
	}
	c.sayf("This repository is at %s %s, and there is %s: run `scaffold update`.", u.record.Template, u.record.Version, u.target())
	return errOutdated
}

func (c *cli) generateCommand(ctx context.Context, args []string) error {
	if _, err := parse(c.flags("generate"), args, 0); err != nil {
		return err
	}
	if _, err := render.ReadRecord("."); err != nil {
		return err
	}
	sets, err := filepath.Glob("plugins/*/*.binpb")
	if err != nil {
		return err
	}
	return c.complete(ctx, ".", sets)
}

// update merges the new template in a separate worktree. Without conflicts it completes the
// result there. Then it passes the result to finish.
func (c *cli) update(ctx context.Context, f updateFlags, finish func(context.Context, *merge.Merge) error) (err error) {
	u, err := openUpdate(ctx, f)
	if err != nil {
		return err
	}
	if u.current() {
		c.sayf("This repository is at %s %s already.", u.record.Template, u.record.Version)
		return nil
	}
	c.sayf("from      %s %s\nto        %s %s\n", u.record.Template, u.record.Version, u.record.Template, u.target())
	base, next, err := u.trees(ctx)
	if err != nil {
		return explain(err)
	}
	m, err := merge.Start(ctx, u.repo, base, next, u.record.Template+" "+u.target())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	if len(m.Conflicts) == 0 {
		if err := c.completeMerge(ctx, m); err != nil {
			return fmt.Errorf("%w\nThe repository is unchanged", err)
		}
	}
	if err := finish(ctx, m); err != nil {
		return err
	}
	if len(m.Conflicts) > 0 {
		c.sayf("\nConflicts:\n  %s", strings.Join(m.Conflicts, "\n  "))
		return errConflicts
	}
	return nil
}

// completeMerge regenerates the derived files in the worktree.
func (c *cli) completeMerge(ctx context.Context, m *merge.Merge) error {
	if _, err := os.Stat(filepath.Join(m.Dir, "proto")); errors.Is(err, os.ErrNotExist) {
		c.sayf("No folder proto: no code is generated.")
	} else if err := protogen.Generate(ctx, m.Dir, m.Sets); err != nil {
		return err
	}
	_, err := tool.Go(m.Dir).Run(ctx, "mod", "tidy")
	return err
}

// update is a repository with its old and its new template.
type update struct {
	flags  updateFlags
	repo   merge.Repository
	record render.Record
	next   render.Source // files, unless another scaffolder renders them
}

func openUpdate(ctx context.Context, f updateFlags) (*update, error) {
	repo, err := merge.Open(ctx, ".")
	if err != nil {
		return nil, err
	}
	if f.changes {
		if err := merge.RequireClean(ctx, repo.Dir(), "no"); err != nil {
			return nil, err
		}
	}
	record, err := render.ReadRecord(repo.Dir())
	if err != nil {
		return nil, err
	}
	if record.Template != templateModule() {
		return nil, fmt.Errorf("this repository was made from another template: run %s/scaffold", record.Template)
	}
	if data, err := os.ReadFile(filepath.Join(repo.Dir(), "go.mod")); err == nil {
		if record, err = record.Moved(data); err != nil {
			return nil, err
		}
	}
	u := &update{flags: f, repo: repo, record: record}
	if err := u.findNext(ctx); err != nil {
		return nil, err
	}
	if semver.IsValid(u.target()) && semver.Compare(u.target(), record.Version) < 0 && semver.IsValid(record.Version) {
		return nil, fmt.Errorf("this repository is at %s, newer than %s: run the scaffolder at a newer version, or give a version with -to", record.Version, u.target())
	}
	return u, nil
}

// findNext finds the new version, and its template if this program is the scaffolder of
// that version.
func (u *update) findNext(ctx context.Context) (err error) {
	if u.flags.to == "latest" {
		u.flags.to, err = latest(ctx, u.record.Template)
		if err != nil {
			return err
		}
	}
	if u.flags.to != "" && u.flags.to != ownVersion() {
		if semver.Canonical(u.flags.to) != u.flags.to {
			return usageError{fmt.Errorf("-to %s: a version looks like v1.2.3", u.flags.to)}
		}
		u.next = render.Source{Module: u.record.Template, Version: u.flags.to}
		return nil
	}
	u.next, err = u.flags.from.find(ctx)
	return err
}

func (u *update) target() string { return u.next.Version }

// current reports whether the repository is up to date. A template in a folder may always
// have changed.
func (u *update) current() bool {
	return u.target() == u.record.Version && u.target() != render.Development
}

// trees returns the old and the new state of the template in the repository's names. The
// original scaffolder renders the old state: with another renderer, a difference in
// rendering would look like the owner's change.
func (u *update) trees(ctx context.Context) (base, next render.Tree, err error) {
	if u.next.Files == nil {
		next, err = u.renderElsewhere(ctx, u.target())
	} else {
		record := u.record
		record.Version = u.target()
		next, err = withSets(u.next, record)
	}
	if err != nil {
		return nil, nil, err
	}
	switch {
	case u.flags.base != "":
		from := u.flags.from
		source, err := from.folder(ctx, u.flags.base)
		if err != nil {
			return nil, nil, err
		}
		source.Version = u.record.Version
		base, err = withSets(source, u.record)
		return base, next, err
	case u.record.Version == render.Development:
		return nil, nil, usageError{errors.New("this repository was made from a folder: give the old state of the template with -base")}
	}
	base, err = u.renderElsewhere(ctx, u.record.Version)
	return base, next, err
}

// withSets renders, and adds an empty file for each descriptor set: a merge needs their
// paths.
func withSets(source render.Source, record render.Record) (render.Tree, error) {
	tree, err := render.Render(source, record)
	for _, p := range render.Sets(source, record) {
		if err == nil {
			tree[p] = nil
		}
	}
	return tree, err
}

// renderElsewhere runs another version of the scaffolder to render its template.
func (u *update) renderElsewhere(ctx context.Context, version string) (render.Tree, error) {
	dir, err := os.MkdirTemp("", "jackfield-render-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	scaffolder := templateModule() + "/scaffold@" + query(version)
	_, err = tool.Go(os.TempDir()).RunWith(ctx, u.record.Marshal(), "run", scaffolder, "render", dir)
	if err != nil {
		return nil, fmt.Errorf("run %s to render its template: %w", scaffolder, err)
	}
	return render.ReadModule(dir)
}
