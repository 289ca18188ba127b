// Package text makes foreign text fit to be shown: plugins, files and lists choose
// their names and words, and a terminal obeys control characters in them.
package text

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clip shortens a text to so many bytes, and says so with an ellipsis.
func Clip(s string, limit int) string {
	if len(s) > limit {
		return strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return s
}

// Line makes a text one line to be shown: clipped, and escaped.
func Line(s string, limit int) string { return Printable(Clip(s, limit)) }

// Unprintable reports whether a rune must not be shown.
func Unprintable(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }

// Printable escapes characters that do not print.
func Printable(s string) string {
	if strings.IndexFunc(s, Unprintable) < 0 {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if unicode.IsPrint(r) && (r != utf8.RuneError || size > 1) {
			b.WriteString(s[:size])
		} else {
			quoted := strconv.Quote(s[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		s = s[size:]
	}
	return b.String()
}
