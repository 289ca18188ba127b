package handshake

import (
	"fmt"
	"strings"
)

// FieldVersions is the extension field in which a plugin lists all the versions
// that it offers, as [FormatVersions] writes them. A plugin adds it when the host
// asked for it and they have no version in common, so that the host can report
// both lists (protocol §10).
const FieldVersions = "versions"

// maxNames bounds how many names of PLUGIN_HANDSHAKE_FIELDS are read, and
// maxName how long each may be, in bytes.
const (
	maxNames = 32
	maxName  = 64
)

// Extension returns the value of an extension field (protocol §10) from
// [Line.Fields]: of the first field that reads key=value, from the eighth field
// of the line on. The seventh is never one, since it belongs to the transport.
// ok is false if there is none; a field "key=" has the value "".
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

// AppendExtension returns fields, the value for [Line.Fields], with an extension
// field added. If fields is empty, an empty seventh field is put before it: that
// place is the transport's. A plugin adds a field only if [Environment.Asks] says
// that the host wants it.
//
// The error is a [*FormatError]: a key is made of lower case letters, digits, "-"
// and "_" and has 1 to 64 of them, and a value cannot hold a "|", a control
// character, or white space at its end.
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

// parseNames reads a comma separated list of names of extension fields; what is
// not such a name is skipped.
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

// formatNames writes what parseNames reads.
func formatNames(names []string) string {
	var good []string
	for _, name := range names {
		if isName(name) && len(good) < maxNames {
			good = append(good, name)
		}
	}
	return strings.Join(good, ",")
}

// isName reports whether s can be the key of an extension field.
func isName(s string) bool {
	return s != "" && len(s) <= maxName && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}
