package handshake

import "strings"

// sameName compares names of environment variables. Windows ignores their case.
func sameName(a, b string) bool { return strings.EqualFold(a, b) }
