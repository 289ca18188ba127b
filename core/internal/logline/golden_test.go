package logline

import (
	"bytes"
	"encoding/json"
	"flag"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

var update = flag.Bool("update", false, "write the wanted records of testdata/logs")

// goldenLogs returns the output of real loggers, recorded under testdata/logs, by path.
func goldenLogs(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/logs/*.log")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no logs: %v", err)
	}
	logs := map[string][]byte{}
	for _, path := range paths {
		if logs[path], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	return logs
}

func TestPumpReadsOtherLoggers(t *testing.T) {
	for path, log := range goldenLogs(t) {
		name := strings.TrimSuffix(path, ".log")
		t.Run(filepath.Base(name), func(t *testing.T) {
			got := printed(t, log)
			if *update {
				if err := os.WriteFile(name+".want", got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name + ".want")
			if err != nil {
				t.Fatal(err)
			}
			equalLines(t, strings.Split(string(got), "\n"), strings.Split(string(want), "\n"))
		})
	}
}

// Lines of several loggers on one stderr, cut anywhere, do not change each other.
func TestPumpReadsMixedStreams(t *testing.T) {
	var mixed, want bytes.Buffer
	logs := goldenLogs(t)
	delete(logs, "testdata/logs/log.log") // has lines that belong to nobody
	for round := range 5 {
		for _, log := range logs {
			lines := bytes.SplitAfter(log, []byte{'\n'})
			if round < len(lines) && len(lines[round]) > 0 {
				mixed.Write(lines[round])
				want.Write(printed(t, lines[round]))
			}
		}
	}
	equalLines(t, strings.Split(string(printed(t, mixed.Bytes())), "\n"), strings.Split(want.String(), "\n"))
}

// A plugin that is killed leaves half a line. It keeps the level that it has, and all its text.
func TestPumpKeepsHalfLinesWhole(t *testing.T) {
	for path, log := range goldenLogs(t) {
		for line := range bytes.Lines(log) {
			line = bytes.TrimSuffix(line, []byte{'\n'})
			for cut := range line {
				keepsText(t, line[:cut])
				if !looksLikeObject(line[:cut]) {
					continue
				}
				kept := &recorder{level: math.MinInt}
				if err := Pump(bytes.NewReader(line[:cut]), Config{Logger: slog.New(kept)}); err != nil {
					t.Fatal(err)
				}
				if got := kept.records(); len(got) != 1 || got[0].Message != string(line[:cut]) {
					t.Fatalf("%s: %q becomes %v", path, line[:cut], got)
				}
			}
		}
	}
}

// printed returns the records of a log as slog's text, without the times that are now.
func printed(t *testing.T, log []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	began := time.Now()
	handler := slog.NewTextHandler(&out, &slog.HandlerOptions{
		Level: slog.Level(math.MinInt),
		ReplaceAttr: func(_ []string, attr slog.Attr) slog.Attr {
			if attr.Key != slog.TimeKey {
				return attr
			}
			if at := attr.Value.Time(); at.Before(began) {
				return slog.Time(attr.Key, at.UTC())
			}
			return slog.Attr{}
		},
	})
	if err := Pump(iotest.OneByteReader(bytes.NewReader(log)), Config{Logger: slog.New(handler)}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// The records of hclog's JSON mean the same as on every host (docs/protocol.md §7). The other
// vectors are go-plugin's alone, but no text of theirs is lost.
func TestPumpReadsTheVectors(t *testing.T) {
	data, err := os.ReadFile("../../../docs/vectors/loglines.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Lines []struct {
			Name, Line string
			Want       struct{ Level, Message string }
		}
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors.Lines {
		if v.Line == "" {
			continue
		}
		want := v.Want.Level + " " + v.Want.Message
		for _, got := range pumped(t, v.Line, Config{PlainLevel: slog.LevelDebug}) {
			got, _, _ = strings.Cut(got, " | ")
			_, text, _ := strings.Cut(got, " ")
			isRecord := v.Want.Message != v.Line
			if got != want && (isRecord || !strings.HasSuffix(v.Line, text)) {
				t.Errorf("%s: got %q, want %q", v.Name, got, want)
			}
		}
	}
}
