// Package semver compares semantic versions (semver.org, 2.0.0) and matches them
// against constraints such as ">= 1.4, < 2". The notation and its meaning are those
// of discovery/semver, on golang.org/x/mod: both packages pass one table of vectors.
// Core has no requirement for them, and discovery none of core.
package semver

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

// MaxLength limits the text of a version, in bytes.
const MaxLength = 128

// Version is a semantic version. The zero value is no version.
type Version struct {
	text       string    // without a leading v
	numbers    [3]string // decimal, without leading zeros
	prerelease string
}

const (
	digits  = "0123456789"
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// Parse reads a version, with or without a leading "v". The error does not repeat
// the text.
func Parse(text string) (Version, error) {
	v := Version{text: strings.TrimPrefix(text, "v")}
	if len(v.text) > MaxLength {
		return Version{}, fmt.Errorf("it is longer than %d bytes", MaxLength)
	}
	rest, build, hasBuild := strings.Cut(v.text, "+")
	rest, prerelease, hasPrerelease := strings.Cut(rest, "-")
	numbers := strings.Split(rest, ".")
	if len(numbers) != len(v.numbers) {
		return Version{}, errors.New("it must have three numbers, as 1.4.2 has")
	}
	valid := (!hasBuild || areIdentifiers(build, true)) && (!hasPrerelease || areIdentifiers(prerelease, false))
	for i, number := range numbers {
		valid = valid && isNumber(number) && !hasLeadingZero(number)
		v.numbers[i] = number
	}
	if !valid {
		return Version{}, errors.New("it must be three numbers, perhaps - and a pre-release, perhaps + and build metadata: " +
			"letters, digits and dashes between dots, numbers without leading zeros")
	}
	v.prerelease = prerelease
	return v, nil
}

func isNumber(s string) bool       { return s != "" && strings.Trim(s, digits) == "" }
func hasLeadingZero(s string) bool { return len(s) > 1 && s[0] == '0' }

// areIdentifiers reports whether text is a list of identifiers with dots between
// them. Zeros may lead in build metadata alone.
func areIdentifiers(text string, zeros bool) bool {
	for identifier := range strings.SplitSeq(text, ".") {
		if identifier == "" || strings.Trim(identifier, digits+letters+"-") != "" {
			return false
		}
		if !zeros && isNumber(identifier) && hasLeadingZero(identifier) {
			return false
		}
	}
	return true
}

// IsZero reports whether v is no version.
func (v Version) IsZero() bool { return v.text == "" }

// String returns the version without a leading v; "" for the zero value.
func (v Version) String() string { return v.text }

// Prerelease returns the part between - and +, such as "beta.1", or "".
func (v Version) Prerelease() string { return v.prerelease }

// Compare returns -1, 0 or +1 as v is of lower, the same or higher precedence than
// other (semver.org, item 11). Build metadata does not count.
func (v Version) Compare(other Version) int {
	if order := v.compareNumbers(other); order != 0 {
		return order
	}
	if v.prerelease == "" || other.prerelease == "" {
		return cmp.Compare(len(other.prerelease), len(v.prerelease)) // a release is above its pre-releases
	}
	return comparePrereleases(v.prerelease, other.prerelease)
}

func (v Version) compareNumbers(other Version) int {
	for i := range v.numbers {
		if order := compareDecimals(v.numbers[i], other.numbers[i]); order != 0 {
			return order
		}
	}
	return 0
}

// compareDecimals compares numbers of any length.
func compareDecimals(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

func comparePrereleases(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		if order := compareIdentifiers(as[i], bs[i]); order != 0 {
			return order
		}
	}
	return cmp.Compare(len(as), len(bs))
}

// compareIdentifiers orders numbers before other identifiers.
func compareIdentifiers(a, b string) int {
	switch aNumber, bNumber := isNumber(a), isNumber(b); {
	case aNumber && bNumber:
		return compareDecimals(a, b)
	case aNumber:
		return -1
	case bNumber:
		return 1
	}
	return cmp.Compare(a, b)
}
