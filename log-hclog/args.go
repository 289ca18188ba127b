package loghclog

import (
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"

	"github.com/hashicorp/go-hclog"
)

// stacktraceKey is hclog's key for a stack trace among the arguments.
const stacktraceKey = "stacktrace"

// attrsOf returns hclog's alternating keys and values as attributes.
func attrsOf(args []any) []slog.Attr {
	if len(args) == 0 {
		return nil
	}
	attrs := make([]slog.Attr, 0, (len(args)+1)/2)
	for i := 0; i+1 < len(args); i += 2 {
		attrs = append(attrs, slog.Attr{Key: keyOf(args[i]), Value: valueOf(args[i+1])})
	}
	if len(args)%2 == 0 {
		return attrs
	}
	key, value := unpaired(args[len(args)-1])
	return append(attrs, slog.Attr{Key: key, Value: valueOf(value)})
}

// unpaired gives the last argument of an odd number its key.
func unpaired(value any) (string, any) {
	if trace, ok := value.(hclog.CapturedStacktrace); ok {
		return stacktraceKey, string(trace)
	}
	return hclog.MissingKey, value
}

// merged returns both lists of arguments in pairs. A key of the second list replaces the
// same key of the first.
func merged(first, second []any) []any {
	out := make([]any, 0, len(first)+len(second)+1)
	places := make(map[string]int)
	add := func(key string, value any) {
		if place, ok := places[key]; ok {
			out[place] = value
			return
		}
		out = append(out, key, value)
		places[key] = len(out) - 1
	}
	for _, args := range [][]any{first, second} {
		for i := 0; i+1 < len(args); i += 2 {
			add(keyOf(args[i]), args[i+1])
		}
		if len(args)%2 != 0 {
			key, value := unpaired(args[len(args)-1])
			add(key, value)
		}
	}
	return out
}

// keyOf returns a key as text. hclog prints a key of another type too.
func keyOf(key any) string {
	if text, ok := key.(string); ok {
		return text
	}
	return printed(key)
}

// valueOf converts an argument to a value for slog's handlers.
func valueOf(value any) slog.Value {
	switch v := value.(type) {
	case hclog.Format:
		return slog.StringValue(formatted(v))
	case hclog.Quote:
		return slog.StringValue(string(v))
	case hclog.Hex:
		return slog.StringValue("0x" + strconv.FormatUint(uint64(v), 16))
	case hclog.Octal:
		return slog.StringValue("0" + strconv.FormatUint(uint64(v), 8))
	case hclog.Binary:
		return slog.StringValue("0b" + strconv.FormatUint(uint64(v), 2))
	case hclog.CapturedStacktrace:
		return slog.StringValue(string(v))
	}
	known := slog.AnyValue(value)
	if known.Kind() != slog.KindAny {
		return known
	}
	switch v := value.(type) {
	case error, json.Marshaler, encoding.TextMarshaler:
		return known
	case fmt.Stringer:
		return slog.StringValue(printed(v))
	}
	return known
}

// formatted returns the text of an hclog.Fmt, however malformed.
func formatted(f hclog.Format) string {
	if len(f) == 0 {
		return ""
	}
	layout, ok := f[0].(string)
	if !ok {
		return fmt.Sprint([]any(f)...)
	}
	return fmt.Sprintf(layout, f[1:]...)
}

// printed formats a value with fmt, which survives methods that panic.
func printed(value any) string { return fmt.Sprint(value) }
