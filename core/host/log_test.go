package host_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugintest"
)

func TestLinesOnStderrBecomeRecords(t *testing.T) {
	tests := map[string]struct {
		line    string
		level   slog.Level
		message string
		attrs   map[string]string
	}{
		"a JSON record":      {`{"@level":"warn","@message":"low on tea","cups":2}`, slog.LevelWarn, "low on tea", map[string]string{"cups": "2"}},
		"a level in front":   {"[INFO] steady", slog.LevelInfo, "steady", nil},
		"a plain line":       {"just text", slog.LevelWarn + 1, "just text", nil},
		"another logger's":   {"level=WARN msg=low n=1", slog.LevelWarn, "low", map[string]string{"n": "1"}},
		"a number for text":  {`{"@level":"info","@message":5}`, slog.LevelInfo, "5", nil},  // F1
		"a number, no level": {`{"@message":5}`, slog.LevelWarn + 1, `{"@message":5}`, nil}, // F1
	}
	logged := newRecords()
	cfg := config(t, "serve", "")
	cfg.Logger, cfg.Outputs.PlainLevel = logged.logger(), slog.LevelWarn+1
	client := launch(t, cfg)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			call(t, client, "log", test.line+"\n")
			got := logged.await(t, test.message)
			if got.level != test.level || got.attrs["plugin"] != "tester" {
				t.Errorf("got %+v", got)
			}
			for key, want := range test.attrs {
				if got.attrs[key] != want {
					t.Errorf("attribute %s is %q, want %q", key, got.attrs[key], want)
				}
			}
		})
	}
}

func TestLaunchWithoutALoggerLogsToSlogsDefault(t *testing.T) {
	logged := newRecords()
	setDefault(t, logged.logger())
	cfg := config(t, "serve", "")
	cfg.Logger = nil
	client := launch(t, cfg)
	call(t, client, "log", "[WARN] low on tea\n")
	if got := logged.await(t, "low on tea"); got.level != slog.LevelWarn || got.attrs["plugin"] != "tester" {
		t.Errorf("got %+v", got)
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	logged.await(t, "the plugin has ended")
}

func TestLongLogLinesAreKeptWholeUpToTheLimit(t *testing.T) {
	for name, test := range map[string]struct {
		limit, length, records int
	}{
		"the default keeps 200 kB":       {0, 200_000, 1},
		"a limit makes pieces":           {1000, 2500, 3},
		"a line as long as it is whole":  {1000, 1000, 1},
		"one byte more makes two pieces": {1000, 1001, 2},
	} {
		t.Run(name, func(t *testing.T) {
			logged := newRecords()
			cfg := config(t, "serve", "")
			cfg.Logger, cfg.Outputs.MaxLogLine = logged.logger(), test.limit
			client := launch(t, cfg)
			call(t, client, "log", strings.Repeat("x", test.length)+"\nthe end\n")
			logged.await(t, "the end")
			var pieces, length int
			for _, one := range logged.all() {
				if strings.HasPrefix(one.message, "x") {
					pieces++
					length += len(one.message)
				}
			}
			if pieces != test.records || length != test.length {
				t.Errorf("%d records of %d bytes together", pieces, length)
			}
		})
	}
}

func TestRawLogGetsEveryByteAndSinksWhatIsPrinted(t *testing.T) {
	var raw, stdout, stderr bytes.Buffer
	cfg := config(t, "serve", "")
	cfg.Outputs.RawLog, cfg.Outputs.PrintedStdout, cfg.Outputs.PrintedStderr = &raw, &stdout, &stderr
	client := launch(t, cfg)
	call(t, client, "log", "to the log, \x1b[1mraw\r\n")
	call(t, client, "print", "printed")
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	if got := raw.String(); got != "to the log, \x1b[1mraw\r\n" {
		t.Errorf("raw log %q", got)
	}
	if stdout.String() != "printed" || stderr.String() != "printed" {
		t.Errorf("stdout %q, stderr %q", &stdout, &stderr)
	}
}

func TestOutputWithoutNewlineAfterTheHandshakeBlocksNobody(t *testing.T) { // F4
	client := launch(t, config(t, "bare", ""))
	call(t, client, "flood", "1000000")
	if got := call(t, client, "echo", "still there"); got != "still there" {
		t.Errorf("got %q", got)
	}
}

func TestOrderlyLifeLogsNothingAboveDebug(t *testing.T) {
	plugintest.NoLeaks(t)
	for name, mode := range map[string]host.MTLS{"plain": host.MTLSOff, "mutual TLS": host.MTLSRequired} {
		t.Run(name, func(t *testing.T) {
			logged := newRecords()
			cfg := config(t, "serve", "")
			cfg.Logger, cfg.AutoMTLS = logged.logger(), mode
			client, err := host.Launch(within(t), cfg)
			if err != nil {
				t.Fatal(err)
			}
			call(t, client, "echo", "hello")
			if err := client.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			if loud := logged.from(slog.LevelInfo); len(loud) > 0 {
				t.Errorf("logged %+v", loud)
			}
			if client.Err() != nil {
				t.Errorf("an end that was asked for: %v", client.Err())
			}
		})
	}
}
