package loghclog_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"math"
	"testing"

	"github.com/hashicorp/go-hclog"
)

// members decodes a logger's JSON lines.
func members(t *testing.T, out *bytes.Buffer) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for line := range bytes.Lines(out.Bytes()) {
		var m map[string]any
		if err := json.Unmarshal(line, &m); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		lines = append(lines, m)
	}
	return lines
}

// slogJSON returns a handler for all levels, without the time.
func slogJSON(out *bytes.Buffer) slog.Handler {
	return slog.NewJSONHandler(out, &slog.HandlerOptions{
		Level: slog.Level(math.MinInt),
		ReplaceAttr: func(_ []string, attr slog.Attr) slog.Attr {
			if attr.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return attr
		},
	})
}

// hclogJSON returns a logger for all levels as JSON, without the time.
func hclogJSON(out *bytes.Buffer, name string) hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Name: name, Output: out, JSONFormat: true, DisableTime: true, Level: hclog.Trace})
}

// A wrapped logger hides its type, so that no handler bypasses hclog.
type wrapped struct{ hclog.Logger }
