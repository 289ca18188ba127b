package logline

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// A rawJSON is an attribute's value that stays JSON: an object, an array, or a
// number that no Go number holds. Text handlers print it as it is, JSON
// handlers put it into their own output.
type rawJSON string

// MarshalJSON makes the value part of a JSON handler's line.
func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// MarshalText makes the value readable in a text handler's line.
func (r rawJSON) MarshalText() ([]byte, error) { return []byte(r), nil }

// String returns the JSON text.
func (r rawJSON) String() string { return string(r) }

// newRawJSON makes a value of valid JSON text, without the white space between
// its tokens (spaced says that there is some) and as valid UTF-8, which a JSON
// handler needs to keep its own line valid.
func newRawJSON(text string, spaced bool) rawJSON {
	if spaced {
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(text)); err == nil {
			text = compact.String()
		}
	}
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, string(utf8.RuneError))
	}
	return rawJSON(text)
}
