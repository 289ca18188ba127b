package handshake

import "strings"

// sameName compares names of environment variables. Windows ignores their case.
func sameName(a, b string) bool { return strings.EqualFold(a, b) }

// shellExport sets a variable in PowerShell.
func shellExport(name, value string) string {
	return "$env:" + name + " = '" + strings.ReplaceAll(value, "'", "''") + "'"
}
