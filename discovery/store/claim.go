package store

import (
	"cmp"
	"errors"
	"fmt"
	"path"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/text"
)

// ClaimError says that a program contradicts its installation.
type ClaimError struct {
	// Path is the program's file.
	Path string
	// What is in dispute: "platform", "name", "version", "compatibility" or "host version".
	What string
	// Want is the caller's or a file name's claim, or the host's versions. Got is the
	// claim of the file or the program itself.
	Want, Got string
	// Err wraps [discovery.ErrVersionClaim] or [discovery.ErrHostVersion], is a
	// *[discovery.IncompatibleError], or nil.
	Err error
}

func (e *ClaimError) Error() string {
	path, want, got := text.Line(e.Path, shownPath), text.Line(e.Want, shownName), text.Line(e.Got, shownName)
	switch e.What {
	case claimPlatform:
		return fmt.Sprintf("%s is a program for %s, not for %s: get the one for %s", path, got, want, want)
	case claimCompatibility:
		return fmt.Sprintf("%s speaks %s, this host speaks %s: get another version of the plugin, or update the host", path, got, want)
	case claimHostVersion:
		return fmt.Sprintf("%s requires version %s of its host, and this host has %s: get another version of the plugin, or update the host", path, got, want)
	}
	return fmt.Sprintf("%s describes its %s as %q, and it is to be installed as %q: give it the right name, or get the right file", path, e.What, got, want)
}

// Unwrap returns Err.
func (e *ClaimError) Unwrap() error { return e.Err }

const (
	claimPlatform      = "platform"
	claimName          = "name"
	claimVersion       = "version"
	claimCompatibility = "compatibility"
	claimHostVersion   = "host version"
)

// checkClaims compares a program's description with its installation, and completes
// the version.
func (i *installation) checkClaims(d *discovery.Description) error {
	if claimed := i.store.claimedName(d, i.id.Kind); claimed != "" && claimed != i.id.Name {
		return &ClaimError{Path: i.given, What: claimName, Want: i.id.Name, Got: claimed}
	}
	switch {
	case d.Version.IsZero() || i.store.Naming.Glob != "":
	case i.id.Version.IsZero():
		i.id.Version = d.Version
	case d.Version.Compare(i.id.Version) != 0:
		return &ClaimError{Path: i.given, What: claimVersion, Want: i.id.Version.String(), Got: d.Version.String(), Err: discovery.ErrVersionClaim}
	}
	if err := d.Admits(i.HostVersion); err != nil {
		return &ClaimError{Path: i.given, What: claimHostVersion, Want: i.HostVersion.String(), Got: d.RequiresHost.String(), Err: err}
	}
	err := d.Agree(i.AppVersions, i.Transports)
	var differ *discovery.IncompatibleError
	if errors.As(err, &differ) {
		return &ClaimError{Path: i.given, What: claimCompatibility, Want: differ.Host, Got: differ.Plugin, Err: err}
	}
	return err
}

// claimedName is the plugin's name in its description: bare, or as a file name of the
// naming. The name of the main package, core/plugin's default, claims nothing.
func (s Store) claimedName(d *discovery.Description, kind string) string {
	if named, err := s.Naming.Parse(d.Name); err == nil && named.Kind == kind {
		return named.Name
	}
	if d.Build != nil && path.Base(d.Build.Path) == d.Name {
		return ""
	}
	return d.Name
}

// checkFormat compares the head of the program with its platform.
func (i *installation) checkFormat() error {
	file, err := i.staging.open(i.program)
	if err != nil {
		return err
	}
	defer file.Close()
	format, known, err := readFormat(file)
	if err != nil {
		return err
	}
	want := cmp.Or(i.id.Platform, i.store.platform())
	if known && !format.runsOn(want) {
		return &ClaimError{Path: i.given, What: claimPlatform, Want: want.String(), Got: format.String()}
	}
	return nil
}
