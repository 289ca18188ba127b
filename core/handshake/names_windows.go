package handshake

import "strings"

// sameName compares names of environment variables, in which Windows does not
// tell upper from lower case.
func sameName(a, b string) bool { return strings.EqualFold(a, b) }
