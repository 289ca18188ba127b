package logline

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"testing"
)

// wanted makes every level wanted.
func wanted(slog.Level) bool { return false }

func TestObjectNestsDownToItsLimit(t *testing.T) {
	nest := func(depth int) []byte {
		return []byte(`{"a":` + strings.Repeat(`[{"b":`, depth/2) + `1` + strings.Repeat(`}]`, depth/2) + `}`)
	}
	var o object
	if got := o.parse(nest(maxDepth), wanted); got != isObject {
		t.Errorf("%d levels: verdict %v, want an object", maxDepth, got)
	}
	if got := o.parse(nest(maxDepth+2), wanted); got != notObject {
		t.Errorf("%d levels: verdict %v, want no object", maxDepth+2, got)
	}
}

func TestObjectParsesWithoutAllocating(t *testing.T) {
	var o object
	line := []byte(sampleLine)
	o.parse(line, wanted)
	if n := testing.AllocsPerRun(100, func() {
		o.parse(line, wanted)
		if _, ok := o.time(line); !ok {
			t.Error("the time is not read")
		}
	}); n > 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func TestObjectForgetsManyFields(t *testing.T) {
	var o object
	var line strings.Builder
	line.WriteString(`{"@level":"info"`)
	for i := range 10_000 {
		line.WriteString(`,"k` + strconv.Itoa(i) + `":0`)
	}
	line.WriteString("}")
	if got := o.parse([]byte(line.String()), wanted); got != isObject || len(o.fields) != 10_001 {
		t.Fatalf("verdict %v with %d fields", got, len(o.fields))
	}
	o.parse([]byte("{}"), wanted)
	if cap(o.fields) > maxKeptFields {
		t.Errorf("room for %d fields is kept", cap(o.fields))
	}
}

// FuzzLine compares the reading of lines with encoding/json: both accept the
// same objects, with the same members. No line may do harm.
func FuzzLine(f *testing.F) {
	for _, line := range []string{
		sampleLine, `{}`, `{"@level":"info","@message":5}`, `{"@level":[]}`, `{"a":{"b":[1,2.5e-3,"\ud83d\ude00"]},"c":null}`,
		`{"a":1,}`, `{"a"}`, `{"a":01}`, `{"a":"\x"}`, "{\"a\":\"\x01\"}", ` {"@level" : "warn" } `, `{"@level":"info","n":-0,"m":1e999}`,
		"panic: x", "[WARN] y", "\xff\x00", `{"@timestamp":"x"}`, `{"a":[],"b":{},"c":[[]],"d":[{}]}`, `{"a":tru}`,
	} {
		f.Add([]byte(line))
	}
	for _, log := range goldenLogs(f) {
		for line := range bytes.Lines(log) {
			f.Add(bytes.TrimSpace(line))
		}
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		pumpEverywhere(t, line)
		keepsText(t, line)
		if bytes.ContainsAny(line, "\n") || depth(line) > maxDepth {
			return
		}
		var o object
		got := o.parse(line, wanted)
		isValid := json.Valid(line) && bytes.HasPrefix(bytes.TrimLeft(line, " \t\r\n"), []byte("{"))
		if (got == isObject) != isValid {
			t.Fatalf("%q: verdict %v, encoding/json says %v", line, got, isValid)
		}
		if isValid {
			compareMembers(t, &o, line)
		}
	})
}

// keepsText fails if a part of a plain line is neither in the record nor punctuation.
func keepsText(t *testing.T, line []byte) {
	t.Helper()
	var o object
	if startsPairs(line) {
		if o.parsePairs(line) {
			onlyBetween(t, line, 0, &o, " \t=\"")
		}
		return
	}
	p := readPrefix(line)
	before := line[:len(line)-len(p.rest)]
	for _, part := range [][]byte{p.clock, p.source, p.name, p.word} {
		before = bytes.Replace(before, part, nil, 1)
	}
	if rest := bytes.Trim(before, " \t[]:-"); len(rest) > 0 {
		t.Errorf("%q: the prefix loses %q", line, rest)
	}
	o.parsePrefixed(line, &p)
	onlyBetween(t, line, o.message.value.to, &o, ": \t=\"")
}

// onlyBetween fails if there is anything but punctuation between the members.
func onlyBetween(t *testing.T, line []byte, at int, o *object, punctuation string) {
	t.Helper()
	spans := []span{}
	for _, f := range o.fields {
		spans = append(spans, f.key, f.value)
	}
	for _, s := range append(spans, span{len(line), len(line)}) {
		if between := bytes.Trim(line[at:s.from], punctuation); len(between) > 0 {
			t.Errorf("%q: %q is lost", line, between)
		}
		at = s.to
	}
}

// pumpEverywhere pumps line with small and large limits into both of slog's
// handlers. The JSON handler's output must stay JSON.
func pumpEverywhere(t *testing.T, line []byte) {
	for _, limit := range []int{1, 7, 0} {
		var out bytes.Buffer
		options := &slog.HandlerOptions{Level: slog.Level(math.MinInt)}
		for _, handler := range []slog.Handler{slog.NewTextHandler(nowhere{}, options), slog.NewJSONHandler(&out, options)} {
			err := Pump(bytes.NewReader(line), Config{Logger: slog.New(handler), MaxLine: limit, Tail: &Tail{MaxBytes: 10}})
			if err != nil {
				t.Errorf("Pump: %v", err)
			}
		}
		for record := range bytes.Lines(out.Bytes()) {
			if !json.Valid(record) {
				t.Errorf("the record of %q is not JSON: %s", line, record)
			}
		}
	}
}

// depth returns an upper bound for the nesting depth of line.
func depth(line []byte) int {
	return bytes.Count(line, []byte("{")) + bytes.Count(line, []byte("["))
}

// compareMembers compares the members of an object with encoding/json's.
func compareMembers(t *testing.T, o *object, line []byte) {
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	if _, err := decoder.Token(); err != nil {
		t.Fatal(err)
	}
	text, next := string(line), 0
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			t.Fatal(err)
		}
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			t.Fatal(err)
		}
		if next == len(o.fields) {
			t.Fatalf("%q: member %q is missing", line, key)
		}
		f := &o.fields[next]
		next++
		if got := utf8Valid(stringOf(text, f.key, f.keyEscaped)); got != key {
			t.Errorf("%q: key %q, encoding/json says %q", line, got, key)
		}
		if err := sameValue(valueOf(f, text), raw); err != nil {
			t.Errorf("%q: member %q: %v", line, key, err)
		}
	}
	if next != len(o.fields) {
		t.Errorf("%q: %d members, encoding/json says %d", line, len(o.fields), next)
	}
}

// utf8Valid replaces each byte outside UTF-8, as encoding/json does.
func utf8Valid(s string) string { return string([]rune(s)) }

// sameValue compares a value with its JSON source.
func sameValue(got slog.Value, raw json.RawMessage) error {
	if kept, ok := got.Any().(rawJSON); ok {
		var want, have bytes.Buffer
		if err := errors.Join(json.Compact(&want, raw), json.Compact(&have, []byte(kept))); err != nil {
			return err
		}
		if utf8Runs(want.String()) != utf8Runs(have.String()) {
			return errors.New("got " + have.String() + ", want " + want.String())
		}
		return nil
	}
	var want any
	if err := json.Unmarshal(raw, &want); err != nil {
		return err
	}
	have := got.Any()
	switch n := have.(type) {
	case int64:
		have = float64(n)
	case uint64:
		have = float64(n)
	case string:
		have = utf8Valid(n)
	}
	if have != want {
		return errors.New("got " + got.String() + ", want " + string(raw))
	}
	return nil
}

// utf8Runs replaces each run of bytes outside UTF-8 with one mark.
func utf8Runs(s string) string { return strings.ToValidUTF8(s, "\ufffd") }
