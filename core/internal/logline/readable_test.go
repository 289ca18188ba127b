package logline

import (
	"strings"
	"testing"
)

func TestReadableLines(t *testing.T) {
	for _, tt := range []struct{ name, line, want string }{
		{"plain text", "cannot open settings", "cannot open settings"},
		{"indented text", "  File \"a.py\", line 3", "  File \"a.py\", line 3"},
		{"package log", "2024/05/06 07:08:09 cannot open settings", "cannot open settings"},
		{"package log with its place", "2024/05/06 07:08:09 main.go:23: cannot open settings", "cannot open settings"},
		{"hclog's JSON", `{"@level":"error","@message":"cannot open settings","@module":"kv","@timestamp":"2024-05-06T07:08:09.123456Z","err":"permission denied","n":2}`,
			`ERROR cannot open settings err="permission denied" n=2`},
		{"slog's JSON", `{"time":"2024-05-06T07:08:09Z","level":"WARN","source":{"file":"a.go"},"msg":"low","cups":{"left":1}}`,
			`WARN low cups="{\"left\":1}"`},
		{"zap's fatal", `{"level":"fatal","ts":1714979289.5,"caller":"a/b.go:3","msg":"gone"}`, "FATAL gone caller=a/b.go:3"},
		{"pino", `{"level":50,"time":1714979289500,"msg":"gone"}`, "ERROR gone"},
		{"slog's text", `time=2024-05-06T07:08:09Z level=ERROR msg="cannot open" err=denied`, "ERROR cannot open err=denied"},
		{"hclog's text", `2024-05-06T07:08:09.500Z [WARN]  kv: low: n=1`, "WARN kv: low n=1"},
		{"Python's logging", "CRITICAL:kv:gone", "CRITICAL gone"},
		{"trace", `{"@level":"trace","@message":"m"}`, "TRACE m"},
		{"a level and no message", `{"@level":"warn","a":1}`, "WARN a=1"},
		{"no message at all", `{"@level":"warn"}`, "WARN"},
		{"a level unknown to hclog", `{"@level":"loud","@message":"m"}`, `DEBUG {"@level":"loud","@message":"m"}`},
		{"another object", `{"a":1}`, `{"a":1}`},
		{"a broken object", `{"@level":"error","@message":"cut of`, `ERROR {"@level":"error","@message":"cut of`},
		{"a panic", "panic: boom", "panic: boom"},
		{"a trace's line", "main.main()", "main.main()"},
		{"nothing", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Readable(tt.line); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzReadable(f *testing.F) {
	for _, line := range []string{
		"", "text", "panic: boom", "[WARN] a: b=c", "2024/05/06 07:08:09 a.go:1: x",
		`{"@level":"error","@message":"a\nb","@timestamp":"2024-05-06T07:08:09Z","c\u001b":{"d":[1]}}`,
		`{"level":"fatal","msg":"x","\u202e":"\u202e"}`, "level=INFO msg=\"a\\n\" \x00=1", "CRITICAL:a:\x1b[31m",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		got := Printable(Readable(line))
		if Printable(got) != got || strings.ContainsAny(got, "\n\r\x1b") {
			t.Errorf("%q is not printable", got)
		}
		if line != "" && Readable(line) == "" {
			t.Errorf("nothing is left of %q", line)
		}
	})
}
