package handshake

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// maxVersions bounds how many items of a version list are read.
const maxVersions = 1024

// Negotiate is a plugin's choice of the application version to announce
// (protocol §2): the highest of those it offers that the host asked for, with
// ok true. With no version in common, or when the host sent no list, it is the
// lowest offered, with ok false: the plugin announces it all the same and lets
// the host report the mismatch, or, if it is an old host, accept it. A plugin
// that offers nothing gets 0 and false. Neither slice is changed.
func Negotiate(offered, asked []int) (version int, ok bool) {
	if len(offered) == 0 {
		return 0, false
	}
	lowest, highest := offered[0], -1
	for _, v := range offered {
		lowest = min(lowest, v)
		if v > highest && slices.Contains(asked, v) {
			highest = v
		}
	}
	if highest < 0 {
		return lowest, false
	}
	return highest, true
}

// ParseVersions reads a comma separated list of application versions, as it
// stands in PLUGIN_PROTOCOL_VERSIONS and in the versions extension field. Order
// is kept. Items that are not decimal numbers from 0 to 2147483647 are skipped,
// white space makes an item one of those, and nothing after the first 1024 items
// is read. Nil: no version.
func ParseVersions(list string) []int {
	var versions []int
	count := 0
	for item := range strings.SplitSeq(list, ",") {
		if count++; count > maxVersions {
			break
		}
		if v, ok := decimal(item, math.MaxInt32); ok {
			versions = append(versions, v)
		}
	}
	return versions
}

// FormatVersions writes versions as [ParseVersions] reads them: ascending, each
// once, negative ones left out, at most 1024. The slice is not changed.
func FormatVersions(versions []int) string {
	sorted := slices.Compact(slices.Sorted(slices.Values(versions)))
	items := make([]string, 0, len(sorted))
	for _, v := range sorted {
		if v >= 0 && v <= math.MaxInt32 && len(items) < maxVersions {
			items = append(items, strconv.Itoa(v))
		}
	}
	return strings.Join(items, ",")
}
