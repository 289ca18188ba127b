package handshake

import (
	"fmt"
	"strings"
)

// FieldVersions is the extension field for all versions offered by a plugin,
// as [FormatVersions] writes them. A plugin adds it if the host asked for it
// and they have no common version. The host can then report both lists
// (protocol §10).
const FieldVersions = "versions"

// maxNames limits the names read from PLUGIN_HANDSHAKE_FIELDS, and maxName the
// length of each in bytes.
const (
	maxNames = 32
	maxName  = 64
)

// Extension returns the value of an extension field (protocol §10) in
// [Line.Fields]. The first field of the form key=value counts, starting with
// the eighth field of the line. The seventh field belongs to the transport and
// is skipped. ok is false if the key is missing; a field "key=" has the value
// "".
func Extension(fields []string, key string) (value string, ok bool) {
	if len(fields) == 0 {
		return "", false
	}
	for _, field := range fields[1:] {
		if name, value, found := strings.Cut(field, "="); found && name == key {
			return value, true
		}
	}
	return "", false
}

// AppendExtension adds an extension field to fields, the value for
// [Line.Fields]. If fields is empty, it first adds an empty seventh field,
// since the transport owns that position. A plugin adds only fields that the
// host asked for: see [Environment.Asks].
//
// The error is a [*FormatError]. A key has 1 to 64 lower case letters, digits,
// "-" and "_". A value must not contain "|", control characters, or white space
// at its end.
func AppendExtension(fields []string, key, value string) ([]string, error) {
	if !isName(key) {
		return nil, formatError(FieldExtra, key, fmt.Sprintf(
			`a key is 1 to %d lower case letters, digits, "-" and "_"`, maxName))
	}
	field := key + "=" + value
	if reason := checkExtra(field); reason != "" {
		return nil, formatError(FieldExtra, field, reason)
	}
	added := make([]string, 0, len(fields)+2)
	added = append(added, fields...)
	if len(added) == 0 {
		added = append(added, "")
	}
	return append(added, field), nil
}

// forItem begins the last item of PLUGIN_HANDSHAKE_FIELDS, the name of the
// application's cookie. No field has a name with a colon. The cookie's may have a
// comma: it ends with the value.
const forItem = "for:"

// parseFieldRequest reads PLUGIN_HANDSHAKE_FIELDS.
func parseFieldRequest(value string) (names []string, asker string) {
	list, asker, _ := strings.Cut(value, ","+forItem)
	names = parseNames(list)
	if len(names) == 0 || len(asker) > MaxLine {
		return names, ""
	}
	return names, asker
}

// formatFieldRequest is the inverse of parseFieldRequest.
func formatFieldRequest(names []string, asker string) string {
	list := formatNames(names)
	if list == "" || asker == "" {
		return list
	}
	return list + "," + forItem + asker
}

// parseNames reads a comma separated list of extension field names and skips
// malformed names.
func parseNames(list string) []string {
	var names []string
	count := 0
	for name := range strings.SplitSeq(list, ",") {
		if count++; count > maxNames {
			break
		}
		if isName(name) {
			names = append(names, name)
		}
	}
	return names
}

// formatNames is the inverse of parseNames.
func formatNames(names []string) string {
	var good []string
	for _, name := range names {
		if isName(name) && len(good) < maxNames {
			good = append(good, name)
		}
	}
	return strings.Join(good, ",")
}

// isName reports whether s is a valid key of an extension field.
func isName(s string) bool {
	return s != "" && len(s) <= maxName && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}
