package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/names"
	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/protogen"
	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/render"
	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/tool"
)

func (c *cli) newCommand(ctx context.Context, args []string) error {
	var answers names.Answers
	var from sourceFlags
	set := c.flags("new")
	answerFlags(set, &answers)
	from.register(set)
	rest, err := parse(set, args, 1)
	if err != nil {
		return err
	}
	if err := c.ask(&answers); err != nil {
		return err
	}
	dir := path.Base(answers.Module)
	if len(rest) > 0 {
		dir = rest[0]
	}
	place, err := claim(dir)
	if err != nil {
		return err
	}
	source, err := from.find(ctx)
	if err != nil {
		return err
	}
	record, tree, err := first(source, answers)
	if err != nil {
		return err
	}
	c.sayNames(record)
	c.sayOuterRepository(ctx, place)
	return place.fill(func() error {
		if err := c.build(ctx, place.dir, tree, render.Sets(source, record)); err != nil {
			return err
		}
		if err := c.commit(ctx, place.dir, fmt.Sprintf("Begin with %s %s", source.Module, source.Version)); err != nil {
			return err
		}
		c.sayf("\nDone. Next: cd %s && make test && make demo", dir)
		return nil
	})
}

func answerFlags(set *flag.FlagSet, answers *names.Answers) {
	set.StringVar(&answers.Module, "module", "", "module `PATH` of the SDK, such as github.com/acme/acme-plugin-sdk")
	set.StringVar(&answers.App, "app", "", "`NAME` of the application, such as acme")
	set.StringVar(&answers.Service, "service", "", "`NAME` of the plugins' interface, such as Notifier")
}

// ask completes and checks the answers.
func (c *cli) ask(answers *names.Answers) error {
	questions := []struct {
		text, flag string
		answer     *string
		check      func(string) error
	}{
		{"Module path of the SDK (github.com/acme/acme-plugin-sdk)", "-module", &answers.Module, names.CheckNewModule},
		{"Name of the application (acme)", "-app", &answers.App, names.CheckApp},
		{"Interface of its plugins (Notifier)", "-service", &answers.Service, names.CheckService},
	}
	lines := bufio.NewReader(c.in)
	var missing []string
	for _, q := range questions {
		for c.terminal && *q.answer == "" {
			fmt.Fprintf(c.out, "%s: ", q.text)
			line, err := lines.ReadString('\n')
			if *q.answer = strings.TrimSpace(line); *q.answer != "" {
				if wrong := q.check(*q.answer); wrong != nil {
					c.sayf("%v", wrong)
					*q.answer = ""
				}
			}
			if err != nil && *q.answer == "" {
				return usageError{fmt.Errorf("no answer for %s: %w", q.flag, err)}
			}
		}
		if *q.answer == "" {
			missing = append(missing, q.flag)
		}
	}
	if len(missing) > 0 {
		return usageError{fmt.Errorf("missing: %s", strings.Join(missing, ", "))}
	}
	if err := errors.Join(names.CheckNewModule(answers.Module), answers.Check()); err != nil {
		return usageError{err}
	}
	return nil
}

// first renders a repository for the first time, with its own cookie: two applications must
// not share a cookie.
func first(source render.Source, answers names.Answers) (render.Record, render.Tree, error) {
	if err := render.Check(source, answers); err != nil {
		return render.Record{}, nil, err
	}
	var cookie [32]byte
	_, _ = rand.Read(cookie[:]) // cannot fail
	record := render.Record{
		Template: source.Module, Version: source.Version,
		Answers: answers, Cookie: hex.EncodeToString(cookie[:]),
	}
	tree, err := render.Render(source, record)
	return record, tree, explain(err)
}

func (c *cli) sayNames(r render.Record) {
	c.sayf("template  %s %s\nmodule    %s\napp       %s\nservice   %s", r.Template, r.Version, r.Answers.Module, r.Answers.App, r.Answers.Service)
}

// build writes the files, runs the generators, and completes go.mod.
func (c *cli) build(ctx context.Context, dir string, tree render.Tree, sets []string) error {
	c.sayf("\nwriting   %d files", len(tree))
	if err := tree.Write(dir); err != nil {
		return err
	}
	return c.complete(ctx, dir, sets)
}

// complete regenerates the derived files.
func (c *cli) complete(ctx context.Context, dir string, sets []string) error {
	c.sayf("making    the code of the .proto files")
	if err := protogen.Generate(ctx, dir, sets); err != nil {
		return fmt.Errorf("make the generated code: %w", err)
	}
	c.sayf("running   go mod tidy")
	_, err := tool.Go(dir).Run(ctx, "mod", "tidy")
	return err
}

// commit makes a repository with one commit, or with everything staged if git lacks an
// identity for the commit.
func (c *cli) commit(ctx context.Context, dir, message string) error {
	git := tool.Git(dir)
	for _, args := range [][]string{
		{"-c", "init.defaultBranch=main", "init", "--quiet"},
		{"-c", "core.excludesFile=" + os.DevNull, "add", "--all"}, // the user's global ignores must not apply
	} {
		if _, err := git.Run(ctx, args...); err != nil {
			return err
		}
	}
	if _, err := git.Run(ctx, "-c", "user.useConfigOnly=true", "commit", "--quiet", "-m", message); err != nil {
		if ctx.Err() != nil {
			return err
		}
		c.sayf("git       everything is staged and nothing committed: %v", err)
		return nil
	}
	c.sayf("git       one commit")
	return nil
}

func (c *cli) sayOuterRepository(ctx context.Context, p place) {
	if out, err := tool.Git(p.parent).Run(ctx, "rev-parse", "--show-toplevel"); err == nil {
		c.sayf("git       %s lies inside the repository %s, and becomes its own repository", p.dir, strings.TrimSpace(out))
	}
}

// place is a folder for a new repository.
type place struct {
	dir    string
	parent string // the deepest existing folder above dir
	made   string // the highest folder made by fill; empty if dir exists
}

// claim checks a folder without changing it: the folder must be empty or absent.
func claim(dir string) (place, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return place{}, err
	}
	switch entries, err := os.ReadDir(dir); {
	case len(entries) > 0:
		return place{}, fmt.Errorf("%s is not empty: name an empty or a new folder", dir)
	case err == nil:
		return place{dir: dir, parent: filepath.Dir(dir)}, nil
	case !errors.Is(err, os.ErrNotExist):
		return place{}, fmt.Errorf("%w: name another folder", err)
	}
	if _, err := os.Lstat(dir); err == nil {
		return place{}, fmt.Errorf("%s is a link to a missing folder: name another folder", dir)
	}
	p := place{dir: dir, made: dir}
	for p.parent = filepath.Dir(dir); ; p.parent = filepath.Dir(p.parent) {
		if _, err := os.Lstat(p.parent); err == nil {
			return p, nil
		}
		p.made = p.parent
	}
}

// fill makes the folder and fills it. After an error it leaves nothing behind.
func (p place) fill(fill func() error) error {
	now, err := claim(p.dir) // another program may have written there since
	if err != nil {
		return err
	}
	p = now
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		return errors.Join(err, p.undo())
	}
	if err := fill(); err != nil {
		return errors.Join(err, p.undo())
	}
	return nil
}

func (p place) undo() error {
	if p.made != "" {
		return os.RemoveAll(p.made)
	}
	entries, err := os.ReadDir(p.dir)
	for _, entry := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(p.dir, entry.Name())))
	}
	return err
}

// renderCommand lets a newer scaffolder ask an older one for its output.
func (c *cli) renderCommand(ctx context.Context, args []string) error {
	var from sourceFlags
	set := c.flags("render")
	from.register(set)
	rest, err := parse(set, args, 1)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return usageError{errors.New("render needs a folder")}
	}
	data, err := io.ReadAll(io.LimitReader(c.in, 1<<20))
	if err != nil {
		return err
	}
	record, err := render.ParseRecord(data)
	if err != nil {
		return fmt.Errorf("the record on stdin: %w", err)
	}
	source, err := from.find(ctx)
	if err != nil {
		return err
	}
	record.Version = source.Version
	tree, err := withSets(source, record)
	if err != nil {
		return explain(err)
	}
	return tree.Write(rest[0])
}
