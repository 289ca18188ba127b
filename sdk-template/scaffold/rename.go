package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"

	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/merge"
	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/names"
	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/render"
	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/tool"
)

// renameCommand treats the folder as the template. It makes the repository elsewhere, and
// moves it into place only when it is complete.
func (c *cli) renameCommand(ctx context.Context, args []string) error {
	var answers names.Answers
	from := sourceFlags{}
	set := c.flags("rename")
	answerFlags(set, &answers)
	set.StringVar(&from.requires, "jackfield", "", "`VERSION` of the Jackfield modules to require, if go.mod has none (default: the latest release)")
	rest, err := parse(set, args, 1)
	if err != nil {
		return err
	}
	dir := path.Join(append([]string{"."}, rest...)...)
	source, err := copyOfTemplate(ctx, from, dir)
	if err != nil {
		return err
	}
	if mod := modfile.ModulePath(source.Files["go.mod"]); answers.Module == "" && mod != source.Module {
		answers.Module = mod // set by gonew
	}
	if err := c.ask(&answers); err != nil {
		return err
	}
	record, tree, err := first(source, answers)
	if err != nil {
		return err
	}
	c.sayNames(record)
	aside, err := os.MkdirTemp("", "jackfield-rename-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(aside)
	if err := c.build(ctx, aside, tree, render.Sets(source, record)); err != nil {
		return err
	}
	made, err := render.ReadModule(aside)
	if err != nil {
		return err
	}
	if err := exchange(dir, source.Files, made); err != nil {
		return err
	}
	c.sayf("\nDone: look at the changes, then run make test && make demo, and commit.")
	return nil
}

// copyOfTemplate reads the folder, and checks that renaming it makes sense and can be
// undone.
func copyOfTemplate(ctx context.Context, from sourceFlags, dir string) (render.Source, error) {
	if _, err := os.Lstat(filepath.Join(dir, render.RecordFile)); err == nil {
		return render.Source{}, fmt.Errorf("%s has a %s: it has its own names already", dir, render.RecordFile)
	}
	if _, err := os.Lstat(filepath.Join(dir, "scaffold", "go.mod")); err == nil {
		return render.Source{}, fmt.Errorf("%s contains the scaffolder too: use `scaffold new`, or rename a copy without that folder", dir)
	}
	if _, err := tool.Git(dir).Run(ctx, "rev-parse", "--is-inside-work-tree"); err == nil {
		if err := merge.RequireClean(ctx, dir, "normal"); err != nil {
			return render.Source{}, err
		}
	}
	source, err := from.folder(ctx, dir)
	if err != nil {
		return render.Source{}, err
	}
	if len(source.Files["go.mod"]) == 0 {
		return render.Source{}, fmt.Errorf("%s has no go.mod: run this at the top of a copy of the template", dir)
	}
	source.Version = releaseOf(source)
	return source, nil
}

// releaseOf returns the version of the template in a copy of it: its required modules are
// released together with it, under the same version.
func releaseOf(source render.Source) string {
	file, err := modfile.ParseLax("go.mod", source.Files["go.mod"], nil)
	if err != nil {
		return render.Development
	}
	for _, require := range file.Require {
		if require.Mod.Path == path.Dir(source.Module)+"/core" && semver.Compare(require.Mod.Version, "v0.0.0") > 0 {
			return require.Mod.Version
		}
	}
	return render.Development
}

// exchange replaces old files with new ones. After an error it restores the old ones.
func exchange(dir string, old, made render.Tree) error {
	err := made.Write(dir)
	for _, p := range old.Paths() {
		if _, stays := made[p]; stays || err != nil {
			continue
		}
		err = os.Remove(filepath.Join(dir, filepath.FromSlash(p)))
		removeEmpty(dir, path.Dir(p))
	}
	if err == nil {
		return nil
	}
	for _, p := range made.Paths() {
		if _, was := old[p]; !was {
			_ = os.Remove(filepath.Join(dir, filepath.FromSlash(p)))
			removeEmpty(dir, path.Dir(p))
		}
	}
	return errors.Join(err, old.Write(dir))
}

// removeEmpty removes a folder below dir and the folders above it, if they are empty.
func removeEmpty(dir, p string) {
	for ; p != "."; p = path.Dir(p) {
		if os.Remove(filepath.Join(dir, filepath.FromSlash(p))) != nil {
			return
		}
	}
}
