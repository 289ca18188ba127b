package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/files"
	"github.com/jackfield-go/jackfield/discovery/lockfile"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// installation is one run of Store.Install.
type installation struct {
	InstallOptions

	store       Store
	given       string       // the installed file, for errors
	id          discovery.ID // the plugin, as far as it is known
	staging     *staging
	program     string // the program, a file in the staging directory
	sum         sums.Sum
	description *discovery.Description
}

const receivedFile = "received" // the file as it was given, in the staging directory

// nameByFile identifies the plugin, as far as names say before anything is read. An
// archive may leave that to its program.
func (i *installation) nameByFile() error {
	i.id = i.ID
	base, archived := cutArchive(i.File)
	named, err := i.store.Naming.Parse(base)
	switch {
	case err == nil:
		i.complete(named)
	case errors.Is(err, discovery.ErrNotPluginName) && i.id.Name == "" && !archived:
		return fmt.Errorf("%w: it is called %s", err, i.store.Naming)
	case i.id.Name == "" && !archived:
		return err
	}
	if i.id.Name == "" {
		return nil
	}
	_, err = i.target()
	return err
}

// complete fills in the parts of the ID from a name.
func (i *installation) complete(named discovery.ID) {
	if i.id.Name == "" {
		i.id.Kind, i.id.Name = named.Kind, named.Name
	}
	if i.id.Name != named.Name || i.id.Kind != named.Kind {
		return // the caller names it otherwise
	}
	if i.id.Version.IsZero() {
		i.id.Version = named.Version
	}
	if i.id.Platform.IsZero() {
		i.id.Platform = named.Platform
	}
}

// nameByProgram completes the ID with the name of the program in an archive. It must
// not contradict the archive's.
func (i *installation) nameByProgram(file string) error {
	named, err := i.store.Naming.Parse(file)
	if err != nil {
		return err
	}
	claims := []struct{ what, given, want, got string }{
		{claimName, i.ID.Name, discovery.ID{Kind: i.id.Kind, Name: i.id.Name}.String(), discovery.ID{Kind: named.Kind, Name: named.Name}.String()},
		{claimVersion, i.ID.Version.String(), i.id.Version.String(), named.Version.String()},
		{claimPlatform, i.ID.Platform.String(), i.id.Platform.String(), named.Platform.String()},
	}
	for _, claim := range claims {
		if claim.given == "" && claim.want != "" && claim.got != "" && claim.want != claim.got {
			return &ClaimError{Path: i.given + ": " + file, What: claim.what, Want: claim.want, Got: claim.got}
		}
	}
	i.complete(named)
	return nil
}

// target is the name of the plugin's file in the store. It completes the ID.
func (i *installation) target() (string, error) {
	platform := i.store.platform()
	if i.store.Naming.Glob == "" {
		i.id.Platform = cmp.Or(i.id.Platform, platform)
	}
	i.id.Exe = cmp.Or(i.id.Platform, platform).OS == "windows"
	name, err := i.store.Naming.Format(i.id)
	if err != nil {
		return "", err
	}
	if !i.id.Platform.IsZero() && i.id.Platform != platform {
		return "", &discovery.Problem{Path: i.given, Reason: discovery.ReasonForeign, Plugin: i.id, By: i.id.Platform.String()}
	}
	return name, nil
}

// receive copies the file into the staging directory, and checks it there.
func (i *installation) receive(ctx context.Context, r io.Reader, size int64) error {
	if size > i.MaxSize {
		return &SizeError{Path: i.given, Limit: i.MaxSize}
	}
	hash := sha256.New()
	reader := &counter{r: files.UntilDone{Ctx: ctx, Reader: r}, told: func(done int64) { i.progress("copy", done, size) }}
	err := i.staging.write(receivedFile, 0o755, reader, i.MaxSize, hash)
	var large *SizeError
	if errors.As(err, &large) {
		large.Path = i.given
	}
	if err != nil {
		return err
	}
	i.sum = sums.Sum(hash.Sum(nil))
	if !i.Want.IsZero() && i.Want != i.sum {
		return &sums.MismatchError{Path: cmp.Or(i.Source, i.given), Want: i.Want, Got: i.sum}
	}
	if i.Verify == nil {
		return nil
	}
	file, err := i.staging.open(receivedFile)
	if err != nil {
		return err
	}
	defer file.Close()
	return i.Verify(ctx, file)
}

func (i *installation) progress(stage string, done, total int64) {
	if i.Progress != nil {
		i.Progress(Progress{Stage: stage, Done: done, Total: total})
	}
}

// counter tells how many bytes were read.
type counter struct {
	r    io.Reader
	done int64
	told func(done int64)
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.done += int64(n)
	c.told(c.done)
	return n, err
}

// unpack makes the program a file of the staging directory, under its name in the
// store: a program may go by its own.
func (i *installation) unpack(ctx context.Context) error {
	from := receivedFile
	if _, archived := cutArchive(i.File); archived {
		file, err := i.staging.open(receivedFile)
		if err != nil {
			return err
		}
		defer file.Close()
		from, err = i.unpackArchive(ctx, file)
		if err != nil {
			return err
		}
		if err := i.nameByProgram(from); err != nil {
			return err
		}
	}
	name, err := i.target()
	if err != nil {
		return err
	}
	i.program = name
	if from == name {
		return nil
	}
	return i.staging.rename(from, name)
}

// ask compares the program with its installation. On another platform than its own it
// is not run.
func (i *installation) ask(ctx context.Context) error {
	if err := i.checkFormat(); err != nil {
		return err
	}
	if cmp.Or(i.id.Platform, i.store.platform()) != discovery.ThisPlatform() {
		return nil
	}
	i.progress("describe", 0, 0)
	before, err := os.Stat(i.staging.path(i.program))
	if err != nil {
		return err
	}
	d, err := i.describe(ctx)
	if ctx.Err() != nil {
		return fmt.Errorf("it did not describe itself in time: %w", cmp.Or(err, context.Cause(ctx)))
	}
	// A program that rewrites itself has an unknown sum.
	after, statErr := os.Stat(i.staging.path(i.program))
	if statErr != nil || files.FingerprintOf(after) != files.FingerprintOf(before) {
		return errors.Join(fmt.Errorf("%s: %w", i.given, discovery.ErrChanged), statErr)
	}
	if err != nil {
		if i.Undescribed && !errors.Is(err, discovery.ErrChanged) {
			return nil
		}
		return fmt.Errorf("it does not describe itself: %w", err)
	}
	i.description = d
	return i.checkClaims(d)
}

func (i *installation) describe(ctx context.Context) (*discovery.Description, error) {
	path := i.staging.path(i.program)
	// A group with write access to the store's directory can exchange the staging
	// directory.
	d, err := i.store.Describer.DescribeSum(ctx, path, i.sum)
	var failure *discovery.DescribeError
	if errors.As(err, &failure) {
		failure.Path = i.given
	}
	var start *fs.PathError
	if errors.As(err, &start) {
		start.Path = i.given // nobody knows the staging directory
	}
	var exchanged *sums.MismatchError
	if errors.As(err, &exchanged) {
		return nil, fmt.Errorf("%s: %w", i.given, discovery.ErrChanged)
	}
	return d, err
}

// place gives the program its name, and records its sum.
func (i *installation) place(ctx context.Context, dir string) (*Item, error) {
	name, err := i.target() // perhaps with a version since
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	p := placement{
		staging: i.staging, program: i.program, path: filepath.Join(dir, name), id: i.id, replace: i.Replace,
		entry: lockfile.Entry{Key: key(i.id, cmp.Or(i.id.Platform, i.store.platform())), Sum: i.sum, Source: i.Source},
	}
	if err := lockfile.Update(ctx, i.store.LockPath(), p.place); err != nil {
		p.undo() // its sum could not be recorded
		return nil, err
	}
	return &Item{ID: i.id, Path: p.path, State: StateOK, Sum: i.sum, Source: i.Source, Description: i.description}, nil
}
