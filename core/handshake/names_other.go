//go:build !windows

package handshake

import "strings"

// sameName compares names of environment variables.
func sameName(a, b string) bool { return a == b }

// shellExport sets a variable in a POSIX shell.
func shellExport(name, value string) string {
	return "export " + name + "='" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}
