package handshake

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// maxVersions limits the items read from a version list.
const maxVersions = 1024

// Negotiate chooses the application version for a plugin to announce (protocol
// §2). It returns the highest common version and true. Without a common
// version, or without a list from the host, it returns the lowest offered
// version and false. The plugin still announces that version: the host reports
// the mismatch, or an old host accepts it. A plugin without versions gets 0 and
// false. Neither slice is changed.
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

// ParseVersions reads a comma separated list of application versions.
// PLUGIN_PROTOCOL_VERSIONS and the versions extension field have this format.
// Order is kept. Items other than decimal numbers from 0 to 2147483647 are
// skipped, including items with white space. Items after the first 1024 are
// ignored. Nil: no version.
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

// FormatVersions writes versions in the format of [ParseVersions]: ascending,
// without duplicates or negative versions, at most 1024. The slice is not
// changed.
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
