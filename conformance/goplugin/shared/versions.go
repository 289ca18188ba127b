package shared

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrVersions reports an unreadable list of application versions.
var ErrVersions = errors.New("unreadable list of versions")

// legacyPrefix marks a peer without versioned plugin sets.
const legacyPrefix = "legacy:"

// Versions are the application versions of a peer.
type Versions struct {
	// Numbers are the versions in the given order, at least one.
	Numbers []int
	// Legacy marks a peer from before versioned plugin sets. It has one set, under the only
	// version of its handshake configuration.
	Legacy bool
}

// ParseVersions parses "1", "2,3" (versioned plugin sets) or "legacy:1" (one set without
// versions). The empty text means version 1. Errors wrap [ErrVersions].
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

// String returns the form read by [ParseVersions].
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
