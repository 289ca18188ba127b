package shared

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrVersions reports a list of application versions that cannot be read.
var ErrVersions = errors.New("unreadable list of versions")

// legacyPrefix marks a peer without versioned plugin sets.
const legacyPrefix = "legacy:"

// Versions says which application versions a peer offers.
type Versions struct {
	// Numbers are the versions in the order they were given, at least one.
	Numbers []int
	// Legacy is set for a peer of the time before versioned plugin sets: it
	// has one set, under the one version of its handshake configuration.
	Legacy bool
}

// ParseVersions reads "1", "2,3" (versioned plugin sets) or "legacy:1" (one set
// without versions). The empty text is version 1. Errors wrap [ErrVersions].
func ParseVersions(text string) (Versions, error) {
	rest, legacy := strings.CutPrefix(text, legacyPrefix)
	if rest == "" {
		rest = "1"
	}
	versions := Versions{Legacy: legacy}
	for item := range strings.SplitSeq(rest, ",") {
		number, err := strconv.Atoi(strings.TrimSpace(item))
		if err != nil || number < 0 {
			return Versions{}, fmt.Errorf("%w: item %q of %q", ErrVersions, item, text)
		}
		versions.Numbers = append(versions.Numbers, number)
	}
	if legacy && len(versions.Numbers) != 1 {
		return Versions{}, fmt.Errorf("%w: %q has several versions for one legacy set", ErrVersions, text)
	}
	return versions, nil
}

// String is the form that [ParseVersions] reads.
func (v Versions) String() string {
	items := make([]string, len(v.Numbers))
	for i, number := range v.Numbers {
		items[i] = strconv.Itoa(number)
	}
	list := strings.Join(items, ",")
	if v.Legacy {
		return legacyPrefix + list
	}
	return list
}
