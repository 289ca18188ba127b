package logline

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"
)

// A recorder is a slog.Handler that keeps its records.
type recorder struct {
	level slog.Level
	mu    sync.Mutex
	kept  []slog.Record
}

func (r *recorder) Enabled(_ context.Context, level slog.Level) bool { return level >= r.level }
func (r *recorder) WithAttrs([]slog.Attr) slog.Handler               { return r }
func (r *recorder) WithGroup(string) slog.Handler                    { return r }
func (r *recorder) Handle(_ context.Context, record slog.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = append(r.kept, record.Clone())
	return nil
}

func (r *recorder) records() []slog.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kept
}

// shown formats a record for comparison: level, message and attributes.
func shown(record slog.Record) string {
	var out strings.Builder
	out.WriteString(levelName(record.Level) + " " + record.Message)
	record.Attrs(func(attr slog.Attr) bool {
		out.WriteString(" | " + attr.String())
		return true
	})
	return out.String()
}

// pumped returns the records of text.
func pumped(t *testing.T, text string, cfg Config) []string {
	t.Helper()
	return pumpedFrom(t, strings.NewReader(text), cfg)
}

func pumpedFrom(t *testing.T, r io.Reader, cfg Config) []string {
	t.Helper()
	kept := &recorder{level: math.MinInt}
	cfg.Logger = slog.New(kept)
	if err := Pump(r, cfg); err != nil {
		t.Errorf("Pump: %v", err)
	}
	lines := []string{}
	for _, record := range kept.records() {
		lines = append(lines, shown(record))
	}
	return lines
}

func equalLines(t *testing.T, got, want []string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got:\n\t%q\nwant:\n\t%q", got, want)
	}
}

func TestPumpReadsLines(t *testing.T) {
	const long = `"@timestamp":"2024-05-06T07:08:09.123456Z"`
	tests := []struct {
		name, in string
		want     []string
	}{
		{"nothing", "", nil},
		{"a record", `{"@level":"info","@message":"hi",` + long + `}` + "\n", []string{"info hi"}},
		{"every level", `{"@level":"trace"}
{"@level":"debug"}
{"@level":"info"}
{"@level":"warn"}
{"@level":"error"}`, []string{"trace ", "debug ", "info ", "warn ", "error "}},
		{"a level in any case, with space", `{"@level":" WaRN ","@message":"m"}`, []string{"warn m"}},
		{"an escaped level", `{"\u0040level":"w\u0061rn","@message":"m"}`, []string{"warn m"}},
		{"no level", `{"@message":"m","a":1}`, []string{`info {"@message":"m","a":1}`}},
		{"an unknown level", `{"@level":"fatal","@message":"m"}`, []string{`debug {"@level":"fatal","@message":"m"}`}},
		{"an empty level", `{"@level":""}`, []string{`debug {"@level":""}`}},
		{"a level of another type", `{"@level":[],"@message":"m"}`, []string{`debug {"@level":[],"@message":"m"}`}},
		{"a message of another type (F1)", `{"@message":5,"@level":"info"}`, []string{"info 5"}},
		{"only a message of another type (F1)", `{"@message":5}`, []string{`info {"@message":5}`}},
		{"an object as the message", `{"@level":"warn","@message":{"a": [1]}}`, []string{`warn {"a": [1]}`}},
		{"a null message", `{"@level":"warn","@message":null}`, []string{"warn "}},
		{"a null timestamp", `{"@level":"warn","@message":"m","@timestamp":null}`, []string{"warn m"}},
		{"a timestamp of another type", `{"@level":"warn","@timestamp":17}`, []string{`warn {"@level":"warn","@timestamp":17}`}},
		{"an escaped timestamp", `{"@level":"warn","@message":"m","@timestamp":"2024\u002d05-06T07:08:09.123456Z"}`, []string{"warn m"}},
		{"an unreadable timestamp", `{"@level":"warn","@timestamp":"now"}`, []string{`warn {"@level":"warn","@timestamp":"now"}`}},
		{"attributes in order", `{"z":1,"@level":"info","a":"x","@message":"m","@module":"p","m":true}`, []string{"info m | z=1 | a=x | @module=p | m=true"}},
		{"a reserved key twice", `{"@level":"info","@level":"error","@message":"m"}`, []string{"info m | plugin_@level=error"}},
		{"names of the host's", `{"@level":"info","@message":"m","level":"ERROR","Msg":"x","time":"y","plugin":"z","plugin_path":"/p","source":1,"levels":2}`,
			[]string{"info m | plugin_level=ERROR | plugin_Msg=x | plugin_time=y | plugin_plugin=z | plugin_plugin_path=/p | plugin_source=1 | levels=2"}},
		{"names of the host's in letters that fold", `{"@level":"info","@message":"m","m\u017fg":"x","ſource":"y","plugins":"z"}`,
			[]string{"info m | plugin_mſg=x | plugin_ſource=y | plugins=z"}},
		{"white space around everything", " \t{ \"@level\" : \"info\" , \"@message\" : \"m\" , \"a\" : 1 } \r\n", []string{"info m | a=1"}},
		{"escapes", `{"@level":"info","@message":"a\n\u003cb\u003e\ud83d\ude00\ud83d\"\\\/","k\t":"\b\f\r"}`, []string{"info a\n<b>😀\ufffd\"\\/ | k\t=\b\f\r"}},
		{"nested values stay JSON", `{"@level":"info","@message":"","o":{"a": [1, {"b" : null}]},"l":[],"e":{}}`, []string{`info  | o={"a":[1,{"b":null}]} | l=[] | e={}`}},
		{"an array", `[1]`, []string{"info [1]"}},
		{"a string", `"x"`, []string{`info "x"`}},
		{"a broken object", `{"@level":"error"`, []string{`error {"@level":"error"`}},
		{"two objects", `{"@level":"error"}{}`, []string{`error {"@level":"error"}{}`}},
		{"prefixes", "[TRACE] a\n[DEBUG] b\n[INFO] c\n[WARN]d\n[ERROR] e", []string{"trace a", "debug b", "info c", "warn d", "error e"}},
		{"unknown prefixes", "[FINE] a\n[info] b\n[INFO c\n[", []string{"info [FINE] a", "info [info] b", "info [INFO c", "info ["}},
		{"plain text", "hello\n", []string{"info hello"}},
		{"no line end", "hello", []string{"info hello"}},
		{"CRLF", "a\r\nb\r\n", []string{"info a", "info b"}},
		{"only one CR belongs to the line end", "a\r\r\n", []string{"info a\r"}},
		{"empty lines", "\n\r\n\na\n\n", []string{"info a"}},
		{"NUL and bytes that are not UTF-8", "a\x00b\xff\n{\"@level\":\"info\",\"@message\":\"\xff\"}", []string{"info a\x00b\xff", "info \xff"}},
		{"NUL in an object", "{\"@level\":\"info\x00\"}", []string{"info {\"@level\":\"info\x00\"}"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			equalLines(t, pumped(t, tt.in, Config{}), tt.want)
		})
		t.Run(tt.name+", a byte at a time", func(t *testing.T) {
			equalLines(t, pumpedFrom(t, iotest.OneByteReader(strings.NewReader(tt.in)), Config{}), tt.want)
		})
	}
}

func TestPumpKeepsTypes(t *testing.T) {
	const line = `{"@level":"info","s":"x","i":-5,"u":18446744073709551615,"f":1.5,"e":1e3,"t":true,"n":null,` +
		`"big":36893488147419103232,"huge":1e999,"o":{ "a":1 }}`
	kept := &recorder{}
	if err := Pump(strings.NewReader(line), Config{Logger: slog.New(kept)}); err != nil {
		t.Fatal(err)
	}
	want := []slog.Attr{
		slog.String("s", "x"), slog.Int64("i", -5), slog.Uint64("u", math.MaxUint64), slog.Float64("f", 1.5),
		slog.Float64("e", 1000), slog.Bool("t", true), slog.Any("n", nil), slog.Any("big", rawJSON("36893488147419103232")),
		slog.Any("huge", rawJSON("1e999")), slog.Any("o", rawJSON(`{"a":1}`)),
	}
	i := 0
	kept.records()[0].Attrs(func(got slog.Attr) bool {
		if !got.Equal(want[i]) || got.Value.Kind() != want[i].Value.Kind() {
			t.Errorf("attribute %d: got %v (%v), want %v (%v)", i, got, got.Value.Kind(), want[i], want[i].Value.Kind())
		}
		i++
		return true
	})
	if i != len(want) {
		t.Errorf("%d attributes, want %d", i, len(want))
	}
}

func TestPumpValuesPrintWell(t *testing.T) {
	const line = `{"@level":"info","@message":"m","@timestamp":"2024-05-06T07:08:09.123456Z","o":{"a": [1,"x"]},"n":null,"bad":["` + "\xff" + `"]}`
	var text, json bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&text, nil), slog.NewJSONHandler(&json, nil)} {
		if err := Pump(strings.NewReader(line), Config{Logger: slog.New(handler)}); err != nil {
			t.Fatal(err)
		}
	}
	const wantText = `time=2024-05-06T07:08:09.123Z level=INFO msg=m o="{\"a\":[1,\"x\"]}" n=<nil> bad="[\"` + "\ufffd" + `\"]"` + "\n"
	if got := text.String(); got != wantText {
		t.Errorf("text handler:\n got %s\nwant %s", got, wantText)
	}
	const wantJSON = `{"time":"2024-05-06T07:08:09.123456Z","level":"INFO","msg":"m","o":{"a":[1,"x"]},"n":null,"bad":["` + "\ufffd" + `"]}` + "\n"
	if got := json.String(); got != wantJSON {
		t.Errorf("JSON handler:\n got %s\nwant %s", got, wantJSON)
	}
}

func TestPumpTakesTheRecordsTime(t *testing.T) {
	kept := &recorder{}
	before := time.Now()
	const lines = `{"@level":"info","@timestamp":"2024-05-06T07:08:09.123456+02:00"}` + "\n" + `{"@level":"info"}`
	if err := Pump(strings.NewReader(lines), Config{Logger: slog.New(kept)}); err != nil {
		t.Fatal(err)
	}
	records := kept.records()
	if want := time.Date(2024, 5, 6, 5, 8, 9, 123456000, time.UTC); !records[0].Time.Equal(want) {
		t.Errorf("time is %v, want %v", records[0].Time, want)
	}
	if got := records[1].Time; got.Before(before) || got.After(time.Now()) {
		t.Errorf("a line without a time got %v, want now", got)
	}
}

func TestPumpSplitsLongLines(t *testing.T) {
	tests := []struct {
		name, in string
		want     []string
	}{
		{"the longest whole line", "12345678\nx", []string{"info 12345678", "info x"}},
		{"the longest whole line with CRLF", "12345678\r\nx", []string{"info 12345678", "info x"}},
		{"one byte more", "123456789\nx", []string{"info 12345678 | piece=1", "info 9 | piece=2", "info x"}},
		{"without an end", "123456789", []string{"info 12345678 | piece=1", "info 9 | piece=2"}},
		{"twice the length", "1234567812345678\nx", []string{"info 12345678 | piece=1", "info 12345678 | piece=2", "info x"}},
		{"a level for all pieces", "[WARN] 12345\nx", []string{"warn 1 | piece=1", "warn 2345 | piece=2", "info x"}},
		{"an object", `{"@level":"error"}`, []string{`info {"@level | piece=1`, `info ":"error | piece=2`, `info "} | piece=3`}},
		{"characters stay whole", "1234567äx", []string{"info 1234567 | piece=1", "info äx | piece=2"}},
		{"invalid characters do not", "\x80\x80\x80\x80\x80\x80\x80\x80\x80", []string{"info \x80\x80\x80\x80\x80\x80\x80\x80 | piece=1", "info \x80 | piece=2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			equalLines(t, pumped(t, tt.in, Config{MaxLine: 8}), tt.want)
		})
		t.Run(tt.name+", a byte at a time", func(t *testing.T) {
			equalLines(t, pumpedFrom(t, iotest.OneByteReader(strings.NewReader(tt.in)), Config{MaxLine: 8}), tt.want)
		})
	}
}

func TestPumpKeepsLinesWholeUpToTheLimit(t *testing.T) {
	for _, size := range []int{1 << 10, 64 << 10, 300_000, 1 << 20} {
		line := strings.Repeat("x", size)
		equalLines(t, pumped(t, line+"\nnext\n", Config{}), []string{"info " + line, "info next"})
	}
}

func TestPumpCutsAnyReadsAlike(t *testing.T) {
	var text strings.Builder
	for i := range 300 {
		text.WriteString(strings.Repeat("y", i*7) + "\n" + `{"@level":"info","@message":"` + strings.Repeat("z", i) + `"}` + "\n")
	}
	want := pumped(t, text.String(), Config{})
	for _, r := range []io.Reader{
		iotest.OneByteReader(strings.NewReader(text.String())),
		iotest.HalfReader(strings.NewReader(text.String())),
		iotest.DataErrReader(strings.NewReader(text.String())),
	} {
		equalLines(t, pumpedFrom(t, r, Config{}), want)
	}
}

func TestPumpCopiesEveryByte(t *testing.T) {
	const text = "a\r\n\n{\"@level\":\"info\"}\nlast"
	var raw bytes.Buffer
	pumped(t, text, Config{Raw: &raw})
	if raw.String() != text {
		t.Errorf("raw copy is %q, want %q", raw.String(), text)
	}
}

// failing is a writer with a permanent error.
type failing struct{ writes int }

var errFailing = errors.New("out of order")

func (f *failing) Write([]byte) (int, error) {
	f.writes++
	return 0, errFailing
}

func TestPumpGoesOnWithoutARawCopy(t *testing.T) {
	kept, raw := &recorder{level: math.MinInt}, &failing{}
	err := Pump(iotest.OneByteReader(strings.NewReader("a\nb\n")), Config{Logger: slog.New(kept), Raw: raw})
	if !errors.Is(err, errFailing) {
		t.Errorf("error is %v, want %v", err, errFailing)
	}
	if raw.writes != 1 || len(kept.records()) != 2 {
		t.Errorf("%d writes and %d records, want 1 and 2", raw.writes, len(kept.records()))
	}
}

func TestPumpReturnsTheReadersError(t *testing.T) {
	kept := &recorder{level: math.MinInt}
	err := Pump(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(errFailing)), Config{Logger: slog.New(kept)})
	if !errors.Is(err, errFailing) || len(kept.records()) != 2 {
		t.Errorf("error %v and %d records, want %v and 2", err, len(kept.records()), errFailing)
	}
}

// silent is a reader that returns neither bytes nor an error.
type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }

func TestPumpGivesUpOnAReaderWithoutProgress(t *testing.T) {
	if err := Pump(silent{}, Config{}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("error is %v, want %v", err, io.ErrNoProgress)
	}
}

func TestPumpWithoutALoggerStillDrains(t *testing.T) {
	var raw bytes.Buffer
	tail := &Tail{}
	if err := Pump(strings.NewReader("a\nb\n"), Config{Raw: &raw, Tail: tail}); err != nil {
		t.Fatal(err)
	}
	if raw.Len() != 4 {
		t.Errorf("raw copy has %d bytes, want 4", raw.Len())
	}
	equalLines(t, tail.Lines(), []string{"a", "b"})
}

func TestPumpDropsUnwantedLevels(t *testing.T) {
	const text = `plain
{"@level":"debug","@message":"no"}
{"@level":"info","@message":"no", broken
{"no":1,"@level":"trace"
{"@level":"unknown","@message":"no"}
{"@level":"warn","@message":"yes"}
[INFO] no
[ERROR] yes
`
	kept := &recorder{level: slog.LevelWarn}
	if err := Pump(strings.NewReader(text), Config{Logger: slog.New(kept)}); err != nil {
		t.Fatal(err)
	}
	lines := []string{}
	for _, record := range kept.records() {
		lines = append(lines, shown(record))
	}
	equalLines(t, lines, []string{"warn yes", "error yes"})
}
