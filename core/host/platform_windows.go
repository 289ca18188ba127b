package host

import "strings"

// usesUnixSockets is false where plugins listen on TCP (protocol §1).
const usesUnixSockets = false

// sameVariable compares names without regard to case, as the platform does.
func sameVariable(a, b string) bool { return strings.EqualFold(a, b) }

// sameFileName compares the names of files without regard to case, as the
// platform does.
func sameFileName(a, b string) bool { return strings.EqualFold(a, b) }
