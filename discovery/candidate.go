package discovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackfield-go/jackfield/discovery/lockfile"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

// candidates returns the plugins of that name, the newest first. Plugins without a
// version in their names are looked at closer to find it; those already found unfit
// are passed over.
func (r *Resolver) candidates(ctx context.Context, found *Found, request Request, none *NoneError) ([]*candidate, error) {
	var list []*candidate
	for _, plugin := range found.Plugins {
		if plugin.Kind != request.Kind || plugin.Name != request.Name {
			continue
		}
		list = append(list, &candidate{resolver: r, request: request, platform: found.platform, Resolved: Resolved{Plugin: plugin}})
	}
	if r.Lock != nil && (len(list) == 0 || !list[0].overrides()) {
		list = append(list, r.hidden(found, request)...)
	}
	var versioned []*candidate
	for _, c := range list {
		if c.Version.IsZero() {
			if err := c.inspect(ctx); err != nil {
				if c.fatal(ctx, err) {
					return nil, err
				}
				none.pass(c, err)
				continue
			}
		}
		versioned = append(versioned, c)
	}
	list = versioned
	slices.SortStableFunc(list, func(a, b *candidate) int { return b.Version.Compare(a.Version) })
	return list, nil
}

// hidden are the files of that name with another file in their place. A locked file
// must not be hidden by a file that the lock file does not know.
func (r *Resolver) hidden(found *Found, request Request) []*candidate {
	var list []*candidate
	for _, p := range found.Problems {
		if p.hides() && p.Plugin.Kind == request.Kind && p.Plugin.Name == request.Name {
			plugin := Plugin{ID: p.Plugin, Path: p.Path, Origin: p.Origin, from: p.from}
			list = append(list, &candidate{
				resolver: r, request: request, platform: found.platform, Resolved: Resolved{Plugin: plugin}, hiddenBy: p.By,
			})
		}
	}
	return list
}

// candidate is a plugin under examination.
type candidate struct {
	Resolved

	resolver  *Resolver
	request   Request
	platform  Platform
	hiddenBy  string // another file, taken first
	inspected bool
}

// fatal tells whether an error ends the search, since to take another file
// instead would hide it.
func (c *candidate) fatal(ctx context.Context, err error) bool {
	var mismatch *sums.MismatchError
	return ctx.Err() != nil || c.hiddenBy == "" && errors.As(err, &mismatch)
}

// fit returns why the plugin is unfit, at the least cost: running the plugin comes
// last.
func (c *candidate) fit(ctx context.Context) error {
	if !c.overrides() && !c.Version.IsZero() && !c.request.Version.Allows(c.Version) {
		return fmt.Errorf("%w: %v", ErrVersion, c.Version)
	}
	if err := c.inspect(ctx); err != nil {
		return err
	}
	if !c.overrides() && !c.request.Version.Allows(c.Version) {
		if c.Version.IsZero() {
			return fmt.Errorf("%w: neither its file name, nor the lock file, nor the plugin has a version", ErrVersion)
		}
		return fmt.Errorf("%w: %v", ErrVersion, c.Version)
	}
	return c.speaks()
}

// inspect checks the sum and asks for the description, once.
func (c *candidate) inspect(ctx context.Context) error {
	if c.inspected {
		return nil
	}
	f := &file{plugin: c.Plugin, cache: c.resolver.Cache}
	if err := f.stat(); err != nil {
		return err
	}
	if err := c.verify(ctx, f); err != nil {
		return err
	}
	c.inspected = true
	err := c.describe(ctx, f)
	// The check comes before the description is believed and before a launch: the
	// hashed file is the one that ran.
	if changed := f.changed(); changed != nil {
		return changed
	}
	f.remember()
	return err
}

// verify compares the file with the lock file.
func (c *candidate) verify(ctx context.Context, f *file) error {
	lock := c.resolver.Lock
	if lock == nil || c.overrides() {
		return nil
	}
	if c.Version.IsZero() {
		if done, err := c.verifyUnversioned(ctx, f); done || err != nil {
			return err
		}
	}
	entry, ok := c.entry()
	if !ok {
		if c.resolver.AllowUnlocked && c.hiddenBy == "" {
			return nil
		}
		return ErrUnlocked
	}
	sum, err := f.sum(ctx)
	if err != nil {
		return err
	}
	if sum != entry.Sum {
		return fmt.Errorf("plugin %v: %w", c.ID, &sums.MismatchError{Path: c.Path, Want: entry.Sum, Got: sum})
	}
	c.Sum, c.Source = sum, entry.Source
	return nil
}

// verifyUnversioned knows a file by its sum.
func (c *candidate) verifyUnversioned(ctx context.Context, f *file) (done bool, err error) {
	if len(c.resolver.Lock.Named(c.Kind, c.Name)) == 0 {
		return false, nil
	}
	sum, err := f.sum(ctx)
	if err != nil {
		return false, err
	}
	entry, ok := c.resolver.Lock.LookupSum(c.Kind, c.Name, sum)
	if ok {
		c.Sum, c.Source, c.Version = sum, entry.Source, entry.Version
	}
	return ok, nil
}

// entry finds the plugin in the lock file: under the platform of its name or, without
// one, under this platform or none.
func (c *candidate) entry() (lockfile.Entry, bool) {
	platform := cmp.Or(c.Platform, c.platform)
	if entry, ok := c.resolver.Lock.Lookup(c.ID.key(platform)); ok {
		return entry, true
	}
	return c.resolver.Lock.Lookup(c.ID.key(Platform{}))
}

// describe gets the plugin's description.
func (c *candidate) describe(ctx context.Context, f *file) error {
	if c.resolver.Describer == nil || c.fsys() != nil {
		return nil
	}
	c.Description, c.NoDescription = f.describe(ctx, *c.resolver.Describer, c.Sum)
	if ctx.Err() != nil {
		return fmt.Errorf("plugin %v did not describe itself in time: %w",
			c.ID, cmp.Or(c.NoDescription, context.Cause(ctx)))
	}
	var mismatch *sums.MismatchError
	if errors.As(c.NoDescription, &mismatch) {
		return fmt.Errorf("plugin %v: %w", c.ID, mismatch)
	}
	if c.Description == nil {
		return nil
	}
	claimed := c.Description.Version
	switch {
	case claimed.IsZero() || c.overrides():
	case c.Version.IsZero():
		c.Version = claimed
	case claimed.Compare(c.Version) != 0:
		return fmt.Errorf("%w: %v, and %v", ErrVersionClaim, claimed, c.Version)
	}
	return nil
}

// speaks compares the versions of both sides, where the plugin's are known.
func (c *candidate) speaks() error {
	if c.Description == nil {
		return nil
	}
	if err := c.Description.Admits(c.request.HostVersion); err != nil {
		return err
	}
	return c.Description.Agree(c.request.AppVersions, c.request.Transports)
}
