package verify

import "strings"

// sameFileName compares the names of files without regard to case, as the
// platform does.
func sameFileName(a, b string) bool { return strings.EqualFold(a, b) }
