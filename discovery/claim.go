package discovery

import (
	"cmp"
	"fmt"
	"path"
	"slices"
)

// ClaimError says that a program is not what it is taken for.
type ClaimError struct {
	// Path is the file that was looked at.
	Path string
	// What is in dispute: "platform", "name", "version" or "protocol".
	What string
	// Want is what it is taken for, by the caller or by a file name, or what the
	// host speaks. Got is what the file or the program itself says.
	Want, Got string
	// Err is [ErrVersionClaim] or [ErrProtocol], or nil.
	Err error
}

func (e *ClaimError) Error() string {
	switch e.What {
	case claimPlatform:
		return fmt.Sprintf("%s is a program for %s, not for %s: get the one for %s", e.Path, e.Got, e.Want, e.Want)
	case claimProtocol:
		return fmt.Sprintf("%s speaks %s, this host speaks %s: get another version of the plugin, or update the host", e.Path, e.Got, e.Want)
	}
	return fmt.Sprintf("%s says that its %s is %q, and it is to be installed as %q: give it the right name, or get the right file", e.Path, e.What, e.Got, e.Want)
}

// Unwrap returns Err.
func (e *ClaimError) Unwrap() error { return e.Err }

const (
	claimPlatform = "platform"
	claimName     = "name"
	claimVersion  = "version"
	claimProtocol = "protocol"
)

// checkClaims compares what a program says with what it is to be installed as,
// and completes the version.
func (i *installation) checkClaims(d *Description) error {
	if claimed := i.store.claimedName(d, i.id.Kind); claimed != "" && claimed != i.id.Name {
		return &ClaimError{Path: i.given, What: claimName, Want: i.id.Name, Got: claimed}
	}
	switch {
	case d.Version.IsZero() || i.store.Naming.Glob != "":
	case i.id.Version.IsZero():
		i.id.Version = d.Version
	case d.Version.Compare(i.id.Version) != 0:
		return &ClaimError{Path: i.given, What: claimVersion, Want: i.id.Version.String(), Got: d.Version.String(), Err: ErrVersionClaim}
	}
	if want, got, err := d.agree(i.Protocols, i.Transports); err != nil {
		return &ClaimError{Path: i.given, What: claimProtocol, Want: want, Got: got, Err: err}
	}
	return nil
}

// claimedName is the plugin's name as the program says it: bare, or as a file name
// of the naming has it. A name that only repeats that of the main package, as
// core/plugin says it unless it is set, claims nothing.
func (s Store) claimedName(d *Description, kind string) string {
	if named, err := s.Naming.Parse(d.Name); err == nil && named.Kind == kind {
		return named.Name
	}
	if d.Build != nil && path.Base(d.Build.Path) == d.Name {
		return ""
	}
	return d.Name
}

// agree finds out whether a host of these protocol versions and transports can talk
// to the plugin, as far as the plugin says. want and got are both sides of an
// [ErrProtocol].
func (d *Description) agree(protocols []int, transports []string) (want, got string, err error) {
	if len(d.Protocols) == 0 || protocols == nil {
		return "", "", nil
	}
	// The two will agree on the highest version that both know, and the plugin
	// serves the first transport of that.
	var agreed *Protocol
	for i, protocol := range d.Protocols {
		if slices.Contains(protocols, protocol.Version) && (agreed == nil || protocol.Version > agreed.Version) {
			agreed = &d.Protocols[i]
		}
	}
	if agreed == nil {
		return fmt.Sprint(protocols), fmt.Sprintf("version %v", d.Speaks()), ErrProtocol
	}
	if served := agreed.Transports; transports != nil && len(served) > 0 && !slices.Contains(transports, served[0]) {
		return fmt.Sprintf("over %v", transports), fmt.Sprintf("version %d over %s", agreed.Version, served[0]), ErrProtocol
	}
	return "", "", nil
}

// checkFormat compares the head of the program with the platform that it is to be
// installed for.
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
