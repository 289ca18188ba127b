package semver

import (
	"fmt"
	"strings"

	library "github.com/Masterminds/semver/v3"
)

// MaxLength bounds the text of a version, in bytes.
const MaxLength = 128

// maxDigits bounds a number in a version, so that each fits into 64 bits.
const maxDigits = 18

// Version is a semantic version. It is comparable with ==, which tells build
// metadata apart; [Version.Compare] orders by precedence. The zero value is no
// version at all, and lower than any.
type Version struct {
	text string // a version, without a leading v; empty for none
}

// VersionError says that a text is no semantic version.
type VersionError struct {
	// Text is what was read, shortened if it was long.
	Text string
	// Reason says what is wrong with it.
	Reason string
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("%q is no semantic version such as 1.4.2 or 1.5.0-beta.1: %s", e.Text, e.Reason)
}

// Parse reads a version, with or without a leading "v". Unlike a constraint it
// needs all three numbers. An error is a *[VersionError].
func Parse(text string) (Version, error) {
	bare := strings.TrimPrefix(text, "v")
	if reason := check(bare); reason != "" {
		return Version{}, &VersionError{Text: clip(text), Reason: reason}
	}
	return Version{text: bare}, nil
}

// check says what keeps text from being a version, or nothing.
//
// A search parses a version for each of thousands of files and compares a few, so
// the library, which takes ten times as long, gets to see only those.
func check(text string) string {
	if len(text) <= MaxLength && valid(text) {
		return ""
	}
	return reason(text)
}

// valid tells whether text is a version, in one pass.
func valid(text string) bool {
	for part := range 3 {
		if part > 0 {
			if text == "" || text[0] != '.' {
				return false
			}
			text = text[1:]
		}
		end := digits(text)
		if end == 0 || !fits(text[:end]) {
			return false
		}
		text = text[end:]
	}
	if text == "" {
		return true
	}
	rest, build, hasBuild := strings.Cut(text, "+")
	pre, hasPre := strings.CutPrefix(rest, "-")
	return (hasPre || rest == "") && (!hasPre || dotted(pre, prerelease)) && (!hasBuild || dotted(build, identifier))
}

// digits is how many the text begins with.
func digits(text string) int {
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return n
}

// reason says what is wrong with a text that is no version.
func reason(text string) string {
	if len(text) > MaxLength {
		return fmt.Sprintf("it is longer than %d bytes", MaxLength)
	}
	rest, build, hasBuild := strings.Cut(text, "+")
	core, pre, hasPre := strings.Cut(rest, "-")
	switch {
	case strings.Count(core, ".") != 2:
		return "it must have three numbers"
	case !dotted(core, func(s string) bool { return number(s) && fits(s) }):
		return fmt.Sprintf("its three parts must be numbers of at most %d digits, without leading zeros", maxDigits)
	case hasPre && !dotted(pre, prerelease):
		return "after - there must be letters, digits and dashes between dots, in numbers without leading zeros"
	case hasBuild && !dotted(build, identifier):
		return "after + there must be letters, digits and dashes between dots"
	}
	return ""
}

// dotted tells whether each part between the dots is good.
func dotted(text string, good func(string) bool) bool {
	for {
		part, rest, more := strings.Cut(text, ".")
		if !good(part) {
			return false
		}
		if !more {
			return true
		}
		text = rest
	}
}

func number(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// prerelease tells whether a part of a pre-release is one.
func prerelease(s string) bool { return identifier(s) && (!number(s) || fits(s)) }

// fits tells whether a number is written as it should be.
func fits(number string) bool {
	return len(number) <= maxDigits && (number == "0" || number[0] != '0')
}

func identifier(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' {
			return false
		}
	}
	return s != ""
}

func clip(text string) string {
	if len(text) > MaxLength {
		return strings.ToValidUTF8(text[:MaxLength], "") + "…"
	}
	return text
}

// IsZero reports whether there is no version.
func (v Version) IsZero() bool { return v.text == "" }

// String returns the version without a leading v, or "" for none.
func (v Version) String() string { return v.text }

// Prerelease returns what stands between - and +, such as "beta.1", or "".
func (v Version) Prerelease() string {
	rest, _, _ := strings.Cut(v.text, "+")
	_, pre, _ := strings.Cut(rest, "-")
	return pre
}

// Release returns the version that a pre-release is on its way to: 1.4.0 for
// 1.4.0-beta.1+linux, and 1.4.0 for itself.
func (v Version) Release() Version {
	if i := strings.IndexAny(v.text, "-+"); i >= 0 {
		return Version{text: v.text[:i]}
	}
	return v
}

// Compare returns -1, 0 or +1 as v is of lower, the same or higher precedence
// than other (semver.org, item 11): build metadata does not count.
func (v Version) Compare(other Version) int {
	switch {
	case v == other:
		return 0
	case v.IsZero():
		return -1
	case other.IsZero():
		return 1
	}
	return v.parsed().Compare(other.parsed())
}

// parsed is the version as the library knows it.
func (v Version) parsed() *library.Version {
	parsed, err := library.StrictNewVersion(v.text)
	if err != nil {
		return new(library.Version) // for none; what check lets pass, the library reads
	}
	return parsed
}

// MarshalText returns String.
func (v Version) MarshalText() ([]byte, error) { return []byte(v.text), nil }

// UnmarshalText reads what Parse reads, and "" as no version.
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
