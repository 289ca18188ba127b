package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	modulepath "golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// plan reads the repository and refuses it if it cannot become a release. It writes
// nothing, and reports all failures.
func (r *release) plan(ctx context.Context) error {
	if top, err := r.root.git(ctx, "rev-parse", "--show-toplevel"); err != nil {
		return err
	} else if same, err := sameFile(top, string(r.root)); err != nil || !same {
		return errors.Join(err, fmt.Errorf("%s is inside the git repository %s, and not its root", r.root, top))
	}
	seconds, err := r.root.git(ctx, "log", "-1", "--no-show-signature", "--format=%H %ct")
	if err != nil {
		return err
	}
	var unix int64
	if _, err := fmt.Sscanf(seconds, "%s %d", &r.base, &unix); err != nil {
		return err
	}
	r.time = time.Unix(unix, 0).UTC()

	set, err := r.readModules(ctx)
	if err != nil {
		return err
	}
	if err := r.readHistory(ctx); err != nil {
		return err
	}
	given := r.version != ""
	err = errors.Join(
		r.checkVersion(set),
		r.checkClean(ctx),
		r.checkFiles(ctx),
		r.readCommitter(ctx),
	)
	if given { // a version derived from the commit stays on this machine
		err = errors.Join(err, r.checkChangelog(), r.checkTags())
	}
	return err
}

func sameFile(a, b string) (bool, error) {
	first, err := os.Stat(a)
	if err != nil {
		return false, err
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second), err
}

// checkVersion determines the version and the one before it. A pre-release belongs to the
// version in versions.yaml.
func (r *release) checkVersion(set string) error {
	if !validVersion(set) || semver.Prerelease(set) != "" {
		return fmt.Errorf("versions.yaml: %q is not a version of the form v1.2.3", set)
	}
	if r.version == "" {
		if !r.dryRun {
			return fmt.Errorf("no version given: make release VERSION=%s", set)
		}
		r.version = set + "-dev." + r.time.Format("20060102150405")
	}
	if !validVersion(r.version) {
		return fmt.Errorf("%q is not a version of the form v1.2.3 or v1.2.3-rc.1", r.version)
	}
	if without := strings.TrimSuffix(r.version, semver.Prerelease(r.version)); without != set {
		return fmt.Errorf("the version is %s, but versions.yaml says %s: change versions.yaml first", r.version, set)
	}
	for _, m := range r.modules {
		if err := modulepath.Check(m.path, r.version); err != nil {
			return err
		}
	}
	return r.checkHistory()
}

func validVersion(v string) bool {
	return semver.IsValid(v) && semver.Canonical(v) == v
}

func (r *release) checkClean(ctx context.Context) error {
	changed, err := r.root.lines(ctx, "status", "--porcelain", "--untracked-files=normal")
	if err != nil || len(changed) == 0 {
		return err
	}
	if len(changed) > 10 {
		changed = append(changed[:10], fmt.Sprintf("and %d more", len(changed)-10))
	}
	return fmt.Errorf("the tree has uncommitted changes:\n\t%s", strings.Join(changed, "\n\t"))
}

// checkChangelog requires a section for the version. A pre-release may use the section
// Unreleased.
func (r *release) checkChangelog() error {
	section, err := r.changes()
	if err == nil && strings.TrimSpace(section) == "" {
		err = fmt.Errorf("CHANGELOG.md has no section `## [%s] - YYYY-MM-DD` with changes in it", strings.TrimPrefix(r.version, "v"))
	}
	return err
}

// changes returns the text of the version's section.
func (r *release) changes() (string, error) {
	sections, err := r.changelog()
	section, ok := sections["["+strings.TrimPrefix(r.version, "v")+"]"]
	if !ok && semver.Prerelease(r.version) != "" {
		section = sections["[Unreleased]"]
	}
	return section, err
}

// changelog returns the sections of CHANGELOG.md by name, such as [0.1.0]. A release's
// section has a date.
func (r *release) changelog() (map[string]string, error) {
	text, err := os.ReadFile(r.root.path("CHANGELOG.md"))
	sections := map[string]string{}
	for _, section := range strings.Split("\n"+string(text), "\n## ")[1:] {
		title, body, _ := strings.Cut(section, "\n")
		name, date, _ := strings.Cut(strings.TrimSpace(title), " - ")
		if date != "" || name == "[Unreleased]" {
			sections[name] = body
		}
	}
	return sections, err
}

// checkFiles checks the files that go into the modules' zips.
func (r *release) checkFiles(ctx context.Context) error {
	var failures []error
	licence, err := os.ReadFile(r.root.path("LICENSE"))
	if err != nil {
		return err
	}
	for _, m := range r.modules {
		own, err := os.ReadFile(r.root.path(m.folder, "LICENSE"))
		if err != nil || !bytes.Equal(own, licence) {
			failures = append(failures, errors.Join(err, fmt.Errorf("%s/LICENSE differs from the repository's LICENSE: copy it, because a module's zip has nothing from above its folder", m.folder)))
		}
		failures = append(failures, m.checkDirectives(r.modules))
	}
	attributes, err := r.root.lines(ctx, "ls-files", ".gitattributes", "*/.gitattributes")
	if err != nil {
		return err
	}
	for _, name := range attributes {
		text, err := os.ReadFile(r.root.path(filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		for _, word := range []string{"export-ignore", "export-subst"} {
			if strings.Contains(string(text), word) {
				failures = append(failures, fmt.Errorf("%s has %s: zips would differ from the files in git", name, word))
			}
		}
	}
	return errors.Join(failures...)
}

// readCommitter asks git for the committer of the release commit. A dry run needs none.
func (r *release) readCommitter(ctx context.Context) error {
	name, email := "dry run", "dry-run@localhost"
	if !r.dryRun {
		identity, err := r.root.git(ctx, "var", "GIT_COMMITTER_IDENT") // name <email> seconds zone
		if err != nil {
			return fmt.Errorf("git has no identity for the release commit: git config user.name and user.email\n%w", err)
		}
		name, email, _ = strings.Cut(identity, " <")
		email, _, _ = strings.Cut(email, ">")
	}
	for _, role := range []string{"GIT_AUTHOR_", "GIT_COMMITTER_"} {
		r.committer = append(r.committer, role+"NAME="+name, role+"EMAIL="+email)
	}
	return nil
}
