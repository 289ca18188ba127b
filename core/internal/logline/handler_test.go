package logline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"time"
)

func TestHandlerIsASlogHandler(t *testing.T) {
	var out bytes.Buffer
	slogtest.Run(t, func(*testing.T) slog.Handler {
		out.Reset()
		return NewHandler(&out, HandlerOptions{})
	}, func(t *testing.T) map[string]any {
		return asSlog(t, out.Bytes())
	})
}

// asSlog converts a line for slogtest: slog's own keys, and groups for dotted
// keys.
func asSlog(t *testing.T, line []byte) map[string]any {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal(line, &members); err != nil {
		t.Fatal(err)
	}
	renamed := map[string]string{keyLevel: slog.LevelKey, keyMessage: slog.MessageKey, keyTimestamp: slog.TimeKey}
	result := map[string]any{}
	for key, value := range members {
		if name, ok := renamed[key]; ok {
			key = name
		}
		path := strings.Split(key, ".")
		group := result
		for _, name := range path[:len(path)-1] {
			if group[name] == nil {
				group[name] = map[string]any{}
			}
			group = group[name].(map[string]any)
		}
		group[path[len(path)-1]] = value
	}
	return result
}

// broken has panicking methods.
type broken struct{}

func (*broken) Error() string { panic("no text") }

// redacted hides its value in logs.
type redacted string

func (redacted) LogValue() slog.Value { return slog.StringValue("***") }

func TestHandlerWritesValues(t *testing.T) {
	cycle := map[string]any{}
	cycle["self"] = cycle
	tests := []struct {
		name  string
		value any
		want  string
	}{
		{"text", "a\"b\\c\n\r\t\x01\u00e4\xff<", `"a\"b\\c\n\r\t\u0001ä\ufffd<"`},
		{"an integer", -3, `-3`},
		{"a large integer", uint64(math.MaxUint64), `18446744073709551615`},
		{"a float", 1.5, `1.5`},
		{"a whole float", 2.0, `2.0`},
		{"a large float", 1e21, `1e+21`},
		{"not a number", math.NaN(), `"NaN"`},
		{"infinity", math.Inf(-1), `"-Inf"`},
		{"a bool", true, `true`},
		{"nothing", nil, `null`},
		{"a duration", 1500 * time.Millisecond, `"1.5s"`},
		{"a time", time.Date(2024, 5, 6, 7, 8, 9, 10, time.UTC), `"2024-05-06T07:08:09.00000001Z"`},
		{"an error", fmt.Errorf("a: %w", io.EOF), `"a: EOF"`},
		{"an error that panics", (*broken)(nil), `"!PANIC: no text"`},
		{"a LogValuer", redacted("secret"), `"***"`},
		{"a struct", struct{ A, B int }{1, 2}, `{"A":1,"B":2}`},
		{"raw JSON", json.RawMessage(`{ "a" : 1 }`), `{"a":1}`},
		{"a value without JSON", complex(1, 2), `"(1+2i)"`},
		{"a value with a cycle", cycle, `"map[string]interface {} (json: unsupported value: encountered a cycle via map[string]interface {})"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			slog.New(NewHandler(&out, HandlerOptions{})).Info("m", "k", tt.value)
			var members map[string]json.RawMessage
			if err := json.Unmarshal(out.Bytes(), &members); err != nil {
				t.Fatalf("%s: %v", out.Bytes(), err)
			}
			if got := string(members["k"]); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// handled returns the line of one record at 2024-05-06T07:08:09.
func handled(t *testing.T, opts HandlerOptions, derive func(slog.Handler) slog.Handler, attrs ...slog.Attr) string {
	t.Helper()
	var out bytes.Buffer
	record := slog.NewRecord(time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC), slog.LevelInfo, "m", 0)
	record.AddAttrs(attrs...)
	if err := derive(NewHandler(&out, opts)).Handle(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestHandlerWritesLines(t *testing.T) {
	asIs := func(h slog.Handler) slog.Handler { return h }
	const end = `"@timestamp":"2024-05-06T07:08:09.000000Z"`
	tests := []struct {
		name   string
		opts   HandlerOptions
		derive func(slog.Handler) slog.Handler
		attrs  []slog.Attr
		want   string
	}{
		{"a record", HandlerOptions{}, asIs, nil, `{"@level":"info","@message":"m",` + end + "}\n"},
		{"a name", HandlerOptions{Name: "a.b"}, asIs, nil, `{"@level":"info","@message":"m","@module":"a.b",` + end + "}\n"},
		{"no source without a place", HandlerOptions{AddSource: true}, asIs, nil, `{"@level":"info","@message":"m",` + end + "}\n"},
		{"groups", HandlerOptions{}, func(h slog.Handler) slog.Handler {
			return h.WithAttrs([]slog.Attr{slog.Int("a", 1)}).WithGroup("g").WithAttrs([]slog.Attr{slog.Int("b", 2)}).WithGroup("h")
		}, []slog.Attr{slog.Group("i", slog.Int("c", 3)), slog.Group("", slog.Int("d", 4)), slog.Group("none")},
			`{"@level":"info","@message":"m",` + end + `,"a":1,"g.b":2,"g.h.i.c":3,"g.h.d":4}` + "\n"},
		{"reserved keys", HandlerOptions{}, asIs, []slog.Attr{slog.Int("@level", 1), slog.Int("@message", 2), slog.Int("@timestamp", 3), slog.Int("@x", 4)},
			`{"@level":"info","@message":"m",` + end + `,"@@level":1,"@@message":2,"@@timestamp":3,"@x":4}` + "\n"},
		{"a module without a name", HandlerOptions{}, asIs, []slog.Attr{slog.String("@module", "x")},
			`{"@level":"info","@message":"m",` + end + `,"@module":"x"}` + "\n"},
		{"a module beside the name", HandlerOptions{Name: "a"}, asIs, []slog.Attr{slog.String("@module", "x")},
			`{"@level":"info","@message":"m","@module":"a",` + end + `,"@@module":"x"}` + "\n"},
		{"reserved keys in a group", HandlerOptions{}, func(h slog.Handler) slog.Handler { return h.WithGroup("g") }, []slog.Attr{slog.Int("@level", 1)},
			`{"@level":"info","@message":"m",` + end + `,"g.@level":1}` + "\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := handled(t, tt.opts, tt.derive, tt.attrs...); got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestHandlerKeepsDerivedHandlersApart(t *testing.T) {
	var out bytes.Buffer
	base := slog.New(NewHandler(&out, HandlerOptions{})).With("a", 1)
	left, right := base.With("b", 2), base.With("c", 3)
	left.Info("left")
	right.Info("right")
	if got := out.String(); strings.Count(got, `"b":2`) != 1 || strings.Count(got, `"c":3`) != 1 || strings.Count(got, `"a":1`) != 2 {
		t.Errorf("got %s", got)
	}
}

func TestHandlerNamesLevels(t *testing.T) {
	for level, want := range map[slog.Level]string{
		math.MinInt: "trace", LevelTrace: "trace", -5: "trace", slog.LevelDebug: "debug", -1: "debug",
		slog.LevelInfo: "info", 2: "info", slog.LevelWarn: "warn", slog.LevelError: "error", 12: "error",
	} {
		if got := levelName(level); got != want {
			t.Errorf("level %d is %s, want %s", level, got, want)
		}
	}
}

func TestHandlerHonoursItsLevel(t *testing.T) {
	if h := NewHandler(io.Discard, HandlerOptions{}); !h.Enabled(t.Context(), math.MinInt) {
		t.Error("without a level not everything is written")
	}
	var level slog.LevelVar
	level.Set(slog.LevelWarn)
	h := NewHandler(io.Discard, HandlerOptions{Level: &level})
	if h.Enabled(t.Context(), slog.LevelInfo) || !h.Enabled(t.Context(), slog.LevelWarn) {
		t.Error("the level is not kept")
	}
	level.Set(slog.LevelDebug)
	if !h.Enabled(t.Context(), slog.LevelInfo) {
		t.Error("a change of the level is not seen")
	}
}

func TestHandlerNamesTheCaller(t *testing.T) {
	var out bytes.Buffer
	_, _, line, _ := runtime.Caller(0)
	slog.New(NewHandler(&out, HandlerOptions{AddSource: true})).Info("m")
	var members struct {
		Caller string `json:"@caller"`
	}
	if err := json.Unmarshal(out.Bytes(), &members); err != nil {
		t.Fatal(err)
	}
	if got, want := filepath.Base(members.Caller), fmt.Sprintf("handler_test.go:%d", line+1); got != want {
		t.Errorf("caller is %s, want %s", got, want)
	}
}

func TestHandlerReturnsTheWritersError(t *testing.T) {
	err := NewHandler(&failing{}, HandlerOptions{}).Handle(t.Context(), slog.Record{})
	if !errors.Is(err, errFailing) {
		t.Errorf("error is %v, want %v", err, errFailing)
	}
}

// logging logs when slog resolves it.
type logging struct{ log *slog.Logger }

func (l logging) LogValue() slog.Value {
	l.log.Info("inner")
	return slog.StringValue("outer")
}

func TestHandlerLetsValuesLog(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(NewHandler(&out, HandlerOptions{}))
	log.Info("m", "k", logging{log})
	if n := strings.Count(out.String(), "\n"); n != 2 {
		t.Errorf("%d lines, want 2: %s", n, out.String())
	}
}

// countingWriter counts writes and fails the test on a partial line.
type countingWriter struct {
	t     *testing.T
	lines int
}

func (c *countingWriter) Write(line []byte) (int, error) {
	c.lines++
	if !json.Valid(line) || line[len(line)-1] != '\n' || bytes.Count(line, []byte("\n")) != 1 {
		c.t.Errorf("a write is not one line: %q", line)
	}
	return len(line), nil
}

func TestHandlerWritesEachRecordAtOnce(t *testing.T) {
	out := &countingWriter{t: t}
	log := slog.New(NewHandler(out, HandlerOptions{}))
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for range 100 {
				log.With("worker", i).WithGroup("g").Info("two\nlines", "text", strings.Repeat("x", i*3000))
			}
		})
	}
	group.Wait()
	if out.lines != 800 {
		t.Errorf("%d writes, want 800", out.lines)
	}
}

func TestPumpReadsHandlerOutput(t *testing.T) {
	var out bytes.Buffer
	at := time.Date(2024, 5, 6, 7, 8, 9, 123456000, time.FixedZone("", 3600))
	attrs := []slog.Attr{
		slog.String("s", "x\n\"\u2028😀"), slog.Int64("i", -1), slog.Uint64("u", math.MaxUint64), slog.Float64("f", 2),
		slog.Bool("b", true), slog.Any("n", nil), slog.String("", "empty key"),
	}
	handler := NewHandler(&out, HandlerOptions{}).WithAttrs(attrs[:2])
	for _, level := range []slog.Level{LevelTrace, slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		record := slog.NewRecord(at, level, "message \x00 of "+level.String(), 0)
		record.AddAttrs(attrs[2:]...)
		if err := handler.Handle(context.Background(), record); err != nil {
			t.Fatal(err)
		}
		kept := &recorder{level: math.MinInt}
		if err := Pump(&out, Config{Logger: slog.New(kept)}); err != nil {
			t.Fatal(err)
		}
		got := kept.records()[0]
		if got.Level != level || got.Message != record.Message || !got.Time.Equal(at) {
			t.Errorf("got %v %q at %v, want %v %q at %v", got.Level, got.Message, got.Time, level, record.Message, at)
		}
		i := 0
		got.Attrs(func(attr slog.Attr) bool {
			if !attr.Equal(attrs[i]) {
				t.Errorf("attribute %d is %v, want %v", i, attr, attrs[i])
			}
			i++
			return true
		})
		if i != len(attrs) {
			t.Errorf("%d attributes, want %d", i, len(attrs))
		}
	}
}

func TestHandlerAllocatesNothingForPlainValues(t *testing.T) {
	log := slog.New(NewHandler(io.Discard, HandlerOptions{Name: "n"}))
	log.Info("m")
	if n := testing.AllocsPerRun(100, func() {
		log.LogAttrs(context.Background(), slog.LevelInfo, "m", slog.Int("a", 1), slog.String("b", "c"))
	}); n >= 1 {
		t.Errorf("%v allocations, want none", n)
	}
}
