package logline

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// appendValue appends v as JSON. v is resolved and not a group.
func appendValue(out []byte, v slog.Value) []byte {
	switch v.Kind() {
	case slog.KindString:
		return appendString(out, v.String())
	case slog.KindInt64:
		return strconv.AppendInt(out, v.Int64(), 10)
	case slog.KindUint64:
		return strconv.AppendUint(out, v.Uint64(), 10)
	case slog.KindFloat64:
		return appendFloat(out, v.Float64())
	case slog.KindBool:
		return strconv.AppendBool(out, v.Bool())
	case slog.KindDuration:
		return appendString(out, v.Duration().String())
	case slog.KindTime:
		return appendString(out, v.Time().Format(time.RFC3339Nano))
	default:
		return appendAny(out, v.Any())
	}
}

// appendFloat marks a float as a float: 1 becomes 1.0. Numbers unknown to JSON
// become text.
func appendFloat(out []byte, x float64) []byte {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return appendString(out, strconv.FormatFloat(x, 'g', -1, 64))
	}
	from := len(out)
	out = strconv.AppendFloat(out, x, 'g', -1, 64)
	if !bytes.ContainsAny(out[from:], ".e") {
		out = append(out, ".0"...)
	}
	return out
}

// appendAny appends a value without a kind of slog's own: errors as their text,
// others through encoding/json. If that fails, fmt prints the value. A panic in
// a method of the value does not end the program.
func appendAny(out []byte, value any) (result []byte) {
	defer func() {
		if r := recover(); r != nil {
			result = appendString(out, fmt.Sprintf("!PANIC: %v", r))
		}
	}()
	if err, ok := value.(error); ok && !marshals(value) {
		return appendString(out, err.Error())
	}
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	var unsupported *json.UnsupportedValueError
	switch {
	case errors.As(err, &unsupported):
		// The value may contain itself; fmt would follow the cycle forever.
		return appendString(out, fmt.Sprintf("%T (%v)", value, err))
	case err != nil:
		return appendString(out, fmt.Sprintf("%+v", value))
	}
	return append(out, bytes.TrimSuffix(encoded.Bytes(), []byte{'\n'})...)
}

// marshals reports whether value has a JSON form of its own.
func marshals(value any) bool {
	switch value.(type) {
	case json.Marshaler, encoding.TextMarshaler:
		return true
	}
	return false
}

// appendString appends s as a JSON string. Bytes outside UTF-8 become U+FFFD,
// since JSON cannot express them.
func appendString(out []byte, s string) []byte {
	out = append(out, '"')
	plain := 0 // start of the part not yet appended
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if !plainByte[c] {
				out = append(out, s[plain:i]...)
				out = appendEscape(out, c)
				plain = i + 1
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			out = append(out, s[plain:i]...)
			out = append(out, `\ufffd`...)
			plain = i + 1
		}
		i += size
	}
	out = append(out, s[plain:]...)
	return append(out, '"')
}

// appendEscape appends a byte in its escaped form.
func appendEscape(out []byte, c byte) []byte {
	const digits = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(out, '\\', c)
	case '\n':
		return append(out, `\n`...)
	case '\r':
		return append(out, `\r`...)
	case '\t':
		return append(out, `\t`...)
	default:
		return append(out, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
	}
}
