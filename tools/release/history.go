package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// publication is a tagged module version.
type publication struct {
	*module

	version string
	time    time.Time
}

// readHistory finds all publications, including modules no longer published.
func (r *release) readHistory(ctx context.Context) error {
	tags, err := r.root.lines(ctx, "for-each-ref", "--format=%(refname:strip=2) %(committerdate:unix)%(*committerdate:unix)", "refs/tags")
	if err != nil {
		return err
	}
	for _, line := range tags {
		tag, seconds, _ := strings.Cut(line, " ")
		m, version := &module{path: r.prefix + "/" + path.Dir(tag), folder: path.Dir(tag)}, path.Base(tag)
		if !semver.IsValid(version) {
			continue
		}
		if text, err := r.root.git(ctx, "show", tag+":"+m.folder+"/go.mod"); err != nil || modfile.ModulePath([]byte(text)) != m.path {
			continue // not a module version
		}
		unix, err := strconv.ParseInt(seconds, 10, 64)
		if err != nil {
			return fmt.Errorf("the time of the tag %s: %w", tag, err)
		}
		r.history = append(r.history, publication{m, version, time.Unix(unix, 0).UTC()})
	}
	return nil
}

// checkHistory compares the version with the tagged versions, and finds the last release.
func (r *release) checkHistory() error {
	for _, p := range r.history {
		final := semver.Prerelease(p.version) == ""
		switch order := semver.Compare(p.version, r.version); {
		case order == 0:
			return fmt.Errorf("%s exists already: a tag is never moved, the next patch replaces it", p.version)
		case order > 0 && (final || semver.Prerelease(r.version) == ""):
			return fmt.Errorf("%s is older than %s, which exists: set the next version in versions.yaml", r.version, p.version)
		case order < 0 && final && semver.Compare(p.version, r.last) > 0:
			r.last = p.version
		}
	}
	return nil
}

// checkTags refuses a clone that lacks the tags of the previous release in the changelog.
// Without them, no comparison would take place.
func (r *release) checkTags() error {
	sections, err := r.changelog()
	before := ""
	for name := range sections {
		version := "v" + strings.Trim(name, "[]")
		if semver.Prerelease(version) == "" && semver.Compare(version, r.version) < 0 && semver.Compare(version, before) > 0 {
			before = version
		}
	}
	tagged := slices.ContainsFunc(r.history, func(p publication) bool { return p.version == before })
	if before != "" && !tagged {
		err = errors.Join(err, fmt.Errorf("CHANGELOG.md has %s, but this clone lacks its tags: git fetch --tags", before))
	}
	return err
}

// addEarlier adds the modules of earlier releases to the proxy, from their tags.
func (r *release) addEarlier(ctx context.Context) error {
	for _, p := range r.history {
		if err := r.addToProxy(ctx, p.module, p.tag(p.version), p.version, p.time); err != nil {
			return err
		}
	}
	return nil
}

// lastModules are the modules of the last release.
func (r *release) lastModules() []*module {
	var modules []*module
	for _, p := range r.history {
		if p.version == r.last {
			modules = append(modules, p.module)
		}
	}
	return modules
}

// extractLast writes the tree of the last release before the release changed it. In that
// tree, modules find each other by path.
func (r *release) extractLast(ctx context.Context) (repository, error) {
	old := repository(filepath.Join(r.stage, "last"))
	if exists(string(old)) {
		return old, nil
	}
	tag := r.lastModules()[0].tag(r.last)
	commit, err := r.root.git(ctx, "rev-parse", "--verify", "--quiet", tag+"^{commit}^")
	if err != nil {
		return "", errors.New(tag + " points to no commit with a parent here: in a shallow clone, git fetch --unshallow")
	}
	return old, r.root.extract(ctx, commit, string(old))
}
