package handshake

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The extension fields of a plugin's account of itself (protocol §10).
const (
	FieldVersion      = "version"
	FieldBuild        = "build"
	FieldLibrary      = "library"
	FieldLanguage     = "language"
	FieldRequiresHost = "requires-host"
)

// MaxAbout limits each text of an [About], in bytes.
const MaxAbout = 512

// About is a plugin's account of itself, in extension fields of the line (protocol
// §10). Each text may be empty, and is the plugin's own claim.
type About struct {
	// Version is the plugin's semantic version, without a leading "v".
	Version string
	// Build tells this build of the version from others, such as a commit.
	Build string
	// Library is the plugin library and its version, such as "jackfield v0.1.0".
	Library string
	// Language is the language and its version, such as "go1.25.0".
	Language string
	// RequiresHost is the plugin's constraint on the version of its host, such as
	// ">= 2, < 3". The host applies it.
	RequiresHost string
}

// AboutFields returns the names of the fields that a host asks for to get an
// [About]. The caller owns the slice.
func AboutFields() []string {
	return []string{FieldVersion, FieldBuild, FieldLibrary, FieldLanguage, FieldRequiresHost}
}

// aboutText returns the text under the name of a field.
func aboutText(a *About, name string) *string {
	switch name {
	case FieldVersion:
		return &a.Version
	case FieldBuild:
		return &a.Build
	case FieldLibrary:
		return &a.Library
	case FieldLanguage:
		return &a.Language
	default:
		return &a.RequiresHost
	}
}

// Append adds the fields that the host asked for to fields, the value for
// [Line.Fields], as [AppendExtension] does. Empty texts are left out, and texts over
// [MaxAbout] cut. The slice is not changed.
func (a About) Append(fields []string, asked Environment) []string {
	for _, name := range AboutFields() {
		text := strings.TrimSpace(clipAbout(*aboutText(&a, name)))
		if text == "" || !asked.Asks(name) {
			continue
		}
		if extended, err := AppendExtension(fields, name, escape(text)); err == nil {
			fields = extended
		}
	}
	return fields
}

// ReadAbout reads a plugin's account of itself from [Line.Fields]. Each text has at
// most [MaxAbout] bytes, without white space around it. A longer text ends with "…", and
// unprintable characters are U+FFFD: neither a version nor a constraint has these.
func ReadAbout(fields []string) About {
	var a About
	for _, name := range AboutFields() {
		if value, ok := Extension(fields, name); ok {
			*aboutText(&a, name) = clipAbout(printable(strings.TrimSpace(unescape(value))))
		}
	}
	return a
}

// clipAbout cuts a text to MaxAbout bytes, with "…" at its end.
func clipAbout(text string) string {
	const ellipsis = "…"
	if len(text) <= MaxAbout {
		return text
	}
	end := MaxAbout - len(ellipsis)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}

// printable replaces characters that could harm a terminal or a log.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return utf8.RuneError
		}
		return r
	}, text)
}

// escape writes every byte that cannot be in a field, and "%", as % and two
// hexadecimal digits. Most texts have none.
func escape(text string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' || c == '|' || c == '%' {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// unescape is the inverse of escape. A "%" without two digits stands for itself.
func unescape(value string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(value, "%")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		if c, ok := hexByte(rest); ok {
			b.WriteByte(c)
			value = rest[2:]
			continue
		}
		b.WriteByte('%')
		value = rest
	}
}

// hexByte reads the byte in the first two digits.
func hexByte(text string) (byte, bool) {
	if len(text) < 2 || strings.Trim(text[:2], "0123456789abcdefABCDEF") != "" {
		return 0, false
	}
	c, err := strconv.ParseUint(text[:2], 16, 8)
	return byte(c), err == nil
}
