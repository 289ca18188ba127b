package logline

import (
	"unicode/utf16"
	"unicode/utf8"
)

// unquote resolves the escapes inside a JSON string already validated by the
// scanner. Halves of surrogate pairs become U+FFFD, as in encoding/json; bytes
// outside UTF-8 stay unchanged.
func unquote(inside string) string {
	out := make([]byte, 0, len(inside))
	for i := 0; i < len(inside); {
		c := inside[i]
		if c != '\\' || i+1 >= len(inside) {
			out = append(out, c)
			i++
			continue
		}
		if inside[i+1] == 'u' {
			r, size := unquoteRune(inside[i:])
			out = utf8.AppendRune(out, r)
			i += size
			continue
		}
		out = append(out, unquoteByte(inside[i+1]))
		i += 2
	}
	return string(out)
}

// unquoteByte returns the character of a one-letter escape.
func unquoteByte(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	default:
		return c
	}
}

// unquoteRune returns the character of the \uXXXX at the start of text, and the
// size of the input read. Two of them can form one character.
func unquoteRune(text string) (r rune, size int) {
	r, _ = hex4(text[2:])
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(text) >= 12 && text[6] == '\\' && text[7] == 'u' {
		if low, ok := hex4(text[8:]); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, 12
			}
		}
	}
	return utf8.RuneError, 6
}

// hex4 reads four hexadecimal digits.
func hex4[T string | []byte](text T) (r rune, ok bool) {
	if len(text) < 4 {
		return 0, false
	}
	for i := range 4 {
		c := text[i]
		switch {
		case c-'0' <= 9:
			r = r<<4 | rune(c-'0')
		case c-'a' <= 5:
			r = r<<4 | rune(c-'a'+10)
		case c-'A' <= 5:
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
