// Package semver holds semantic versions (semver.org, 2.0.0) and constraints on them,
// as the rest of discovery uses them.
//
// A [Version] is exact: three numbers, perhaps a pre-release, perhaps build metadata.
// A [Constraint] is written as in the configuration files of Terraform, Packer and
// Nomad, and means the same:
//
//	>= 1.2, < 2     all terms must hold
//	~> 1.4          from 1.4 on, below 2
//	~> 1.4.2        from 1.4.2 on, below 1.5
//	1.4             exactly 1.4.0
//	!= 1.4.3        any other
//
// Pre-releases are chosen only on request: by a constraint that names one, or by
// [Constraint.WithPrereleases].
//
// Validity and precedence are those of golang.org/x/mod/semver; it does not show in
// the API. Constraints are evaluated here, since no library gives them the meaning in
// those configuration files: for Masterminds/semver "~> 1.4" ends below 1.5 and "1.4"
// is any 1.4.x. hashicorp/go-version has the notation, but orders 1.0.0-alpha above
// 1.0.0-alpha.beta, and lets "!= 1.4.3" allow pre-releases.
package semver

import (
	"fmt"
	"strings"

	library "golang.org/x/mod/semver"

	"github.com/jackfield-go/jackfield/discovery/internal/text"
)

// maxLength bounds the text of a version, in bytes.
const maxLength = 128

// Version is a semantic version. It is comparable with ==, build metadata included;
// [Version.Compare] orders by precedence. The zero value is no version at all, and
// lower than any.
type Version struct {
	text string // with a leading v, as the library has it; empty for none
}

// VersionError says that a text is no semantic version.
type VersionError struct {
	// Text is the text, shortened if it was long.
	Text string
	// Reason is its fault.
	Reason string
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("%q is no semantic version such as 1.4.2 or 1.5.0-beta.1: %s", e.Text, e.Reason)
}

// Parse reads a version, with or without a leading "v". Unlike a constraint it
// needs all three numbers. An error is a *[VersionError].
func Parse(version string) (Version, error) {
	v := Version{text: version}
	if !strings.HasPrefix(version, "v") {
		v.text = "v" + version
	}
	if reason := v.check(); reason != "" {
		return Version{}, &VersionError{Text: text.Clip(version, maxLength), Reason: reason}
	}
	return v, nil
}

// check returns the fault of the text as a version, or nothing.
func (v Version) check() string {
	switch {
	case len(v.text)-1 > maxLength:
		return fmt.Sprintf("it is longer than %d bytes", maxLength)
	case strings.Count(v.Release().text, ".") != 2:
		return "it must have three numbers"
	case !library.IsValid(v.text):
		return "it must be three numbers, perhaps - and a pre-release, perhaps + and build metadata: " +
			"letters, digits and dashes between dots, numbers without leading zeros"
	}
	return ""
}

// IsZero reports whether there is no version.
func (v Version) IsZero() bool { return v.text == "" }

// String returns the version without a leading v, or "" for none.
func (v Version) String() string { return strings.TrimPrefix(v.text, "v") }

// Prerelease returns the part between - and +, such as "beta.1", or "".
func (v Version) Prerelease() string {
	return strings.TrimPrefix(library.Prerelease(v.text), "-")
}

// Release returns the later release of a pre-release: 1.4.0 for 1.4.0-beta.1+linux,
// and 1.4.0 for itself.
func (v Version) Release() Version {
	if i := strings.IndexAny(v.text, "-+"); i >= 0 {
		return Version{text: v.text[:i]}
	}
	return v
}

// Compare returns -1, 0 or +1 as v is of lower, the same or higher precedence
// than other (semver.org, item 11): build metadata does not count.
func (v Version) Compare(other Version) int { return library.Compare(v.text, other.text) }

// MarshalText returns String.
func (v Version) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads a text as Parse does, and "" as no version.
func (v *Version) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*v = Version{}
		return nil
	}
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*v = parsed
	return nil
}
