package logline

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"testing"
)

// sampleLine is a typical line of a plugin's logger.
const sampleLine = `{"@caller":"/src/plugin/server.go:231","@level":"info","@message":"handled request","@module":"plugin.server",` +
	`"@timestamp":"2024-05-06T07:08:09.123456+02:00","bytes":18231,"cached":false,"method":"GET","path":"/v1/items/42","seconds":0.0172}`

// nowhere discards a handler's output.
type nowhere struct{}

func (nowhere) Write(text []byte) (int, error) { return len(text), nil }

// benchmarkPump pumps one line b.N times into a text handler with the given level.
func benchmarkPump(b *testing.B, line string, level slog.Level, cfg Config) {
	lines := bytes.Repeat([]byte(line+"\n"), b.N)
	cfg.Logger = slog.New(slog.NewTextHandler(nowhere{}, &slog.HandlerOptions{Level: level}))
	b.SetBytes(int64(len(line) + 1))
	b.ReportAllocs()
	b.ResetTimer()
	if err := Pump(bytes.NewReader(lines), cfg); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkPumpIntoTextHandler(b *testing.B) {
	benchmarkPump(b, sampleLine, slog.LevelInfo, Config{})
}

func BenchmarkPumpIntoTextHandlerWithTail(b *testing.B) {
	benchmarkPump(b, sampleLine, slog.LevelInfo, Config{Tail: &Tail{}})
}

func BenchmarkPumpBelowLevel(b *testing.B) {
	benchmarkPump(b, sampleLine, slog.LevelWarn, Config{})
}

func BenchmarkPumpBelowLevelWithTail(b *testing.B) {
	benchmarkPump(b, sampleLine, slog.LevelWarn, Config{Tail: &Tail{}})
}

func BenchmarkPumpPlainLines(b *testing.B) {
	benchmarkPump(b, "[INFO] "+strings.Repeat("text ", 20), slog.LevelInfo, Config{})
}

func BenchmarkPumpOtherLoggers(b *testing.B) {
	for name, line := range map[string]string{
		"slog's JSON": `{"time":"2024-05-06T07:08:09.123456789+02:00","level":"INFO","msg":"handled request","bytes":18231,"cached":false,"method":"GET"}`,
		"logfmt":      `ts=2024-05-06T07:08:09.123456789Z level=info msg="handled request" bytes=18231 cached=false method=GET`,
		"package log": "2024/05/06 07:08:09 handled request",
	} {
		b.Run(name, func(b *testing.B) { benchmarkPump(b, line, slog.LevelInfo, Config{}) })
	}
}

func BenchmarkHandler(b *testing.B) {
	log := slog.New(NewHandler(io.Discard, HandlerOptions{Name: "plugin.server"}))
	b.ReportAllocs()
	for b.Loop() {
		log.Info("handled request", "bytes", 18231, "cached", false, "method", "GET", "path", "/v1/items/42", "seconds", 0.0172)
	}
}
