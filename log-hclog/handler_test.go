package loghclog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/hashicorp/go-hclog"

	loghclog "github.com/jackfield-go/jackfield/log-hclog"
)

func TestHandlerIsASlogHandler(t *testing.T) {
	var out bytes.Buffer
	slogtest.Run(t, func(*testing.T) slog.Handler {
		out.Reset()
		return loghclog.NewHandler(hclogJSON(&out, ""), loghclog.HandlerOptions{TimeKey: slog.TimeKey})
	}, func(t *testing.T) map[string]any {
		result := map[string]any{}
		for key, value := range members(t, &out)[0] {
			switch key {
			case "@level":
				key = slog.LevelKey
			case "@message":
				key = slog.MessageKey
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
	})
}

// secret replaces its value when it is logged.
type secret struct{}

func (secret) LogValue() slog.Value { return slog.StringValue("***") }

func TestHandlerWritesToHclog(t *testing.T) {
	tests := []struct {
		name string
		log  func(*slog.Logger)
		want string
	}{
		{"a record", func(l *slog.Logger) { l.Info("m", "a", 1) }, "[INFO]  app: m: a=1"},
		{"trace", func(l *slog.Logger) { l.Log(context.Background(), loghclog.LevelTrace, "m") }, "[TRACE] app: m"},
		{"below trace", func(l *slog.Logger) { l.Log(context.Background(), -20, "m") }, "[TRACE] app: m"},
		{"between info and warn", func(l *slog.Logger) { l.Log(context.Background(), 2, "m") }, "[INFO]  app: m"},
		{"above error", func(l *slog.Logger) { l.Log(context.Background(), 12, "m") }, "[ERROR] app: m"},
		{"groups", func(l *slog.Logger) {
			l.WithGroup("g").With("a", 1).WithGroup("h").Info("m", "b", 2, slog.Group("i", "c", 3), slog.Group("", "d", 4))
		}, "[INFO]  app: m: g.a=1 g.h.b=2 g.h.i.c=3 g.h.d=4"},
		{"a name", func(l *slog.Logger) { l.With(loghclog.NameKey, "web").Info("m") }, "[INFO]  app.web: m"},
		{"the last name", func(l *slog.Logger) { l.With(loghclog.NameKey, "web").With("@module", "db").Info("m") }, "[INFO]  app.db: m"},
		{"a record's name", func(l *slog.Logger) { l.Info("m", loghclog.NameKey, "web", "a", 1) }, "[INFO]  app.web: m: a=1"},
		{"no name in a group", func(l *slog.Logger) { l.WithGroup("g").Info("m", loghclog.NameKey, "web") }, "[INFO]  app: m: g.@module=web"},
		{"a name of another type", func(l *slog.Logger) { l.Info("m", loghclog.NameKey, 1) }, "[INFO]  app: m: @module=1"},
		{"a LogValuer", func(l *slog.Logger) { l.Info("m", "s", secret{}) }, `[INFO]  app: m: s="***"`},
		{"an error", func(l *slog.Logger) { l.Info("m", "err", errors.New("bad")) }, "[INFO]  app: m: err=bad"},
		{"a duration", func(l *slog.Logger) { l.Info("m", "d", time.Second) }, "[INFO]  app: m: d=1s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			log := hclog.New(&hclog.LoggerOptions{Name: "app", Output: &out, DisableTime: true, Level: hclog.Trace})
			tt.log(slog.New(loghclog.NewHandler(log, loghclog.HandlerOptions{})))
			if got := strings.TrimSuffix(out.String(), "\n"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestHandlerAsksHclogForItsLevel(t *testing.T) {
	log := hclog.New(&hclog.LoggerOptions{Level: hclog.Warn})
	handler := loghclog.NewHandler(log, loghclog.HandlerOptions{})
	for level := loghclog.LevelTrace; level <= slog.LevelError+4; level++ {
		if got, want := handler.Enabled(t.Context(), level), level >= slog.LevelWarn; got != want {
			t.Errorf("level %d enabled: %v, want %v", level, got, want)
		}
	}
	log.SetLevel(hclog.Trace)
	if !handler.Enabled(t.Context(), loghclog.LevelTrace) || !handler.Enabled(t.Context(), -20) {
		t.Error("the handler ignores a change of the level")
	}
	log.SetLevel(hclog.Off)
	if handler.Enabled(t.Context(), slog.LevelError) {
		t.Error("the handler ignores hclog.Off")
	}
}

func TestHandlerWithoutALoggerWritesToHclogsDefault(t *testing.T) {
	var out bytes.Buffer
	before := hclog.Default()
	defer hclog.SetDefault(before)
	hclog.SetDefault(hclog.New(&hclog.LoggerOptions{Name: "app", Output: &out, DisableTime: true}))
	slog.New(loghclog.NewHandler(nil, loghclog.HandlerOptions{})).Warn("m")
	if got, want := out.String(), "[WARN]  app: m\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if loghclog.NewHandler(hclog.NewNullLogger(), loghclog.HandlerOptions{}).Enabled(t.Context(), slog.LevelError) {
		t.Error("a handler with hclog's null logger is enabled")
	}
}

// TestHandlerWritesAPluginsRecordsAsGolden has records as core/host makes them: of a plugin's line
// with a time, of one without, and of the host itself.
func TestHandlerWritesAPluginsRecordsAsGolden(t *testing.T) {
	at := time.Date(2024, 5, 6, 7, 8, 9, 123456000, time.FixedZone("", 2*60*60))
	write := func(log hclog.Logger) {
		handler := loghclog.NewHandler(log, loghclog.HandlerOptions{}).WithAttrs([]slog.Attr{slog.String("plugin", "greeter")})
		for _, own := range []struct {
			at      time.Time
			message string
			attrs   []slog.Attr
		}{
			{at, "greeted", []slog.Attr{slog.String(loghclog.NameKey, "greet.cache"), slog.Int64("n", 1)}},
			{at.UTC(), "no module", nil},
			{time.Now(), "a line without a time", nil},
			{time.Time{}, "a record without a time", nil},
		} {
			record := slog.NewRecord(own.at, slog.LevelWarn, own.message, 0)
			record.AddAttrs(own.attrs...)
			if err := handler.Handle(t.Context(), record); err != nil {
				t.Fatal(err)
			}
		}
		slog.New(handler).Info("the host's own record")
	}
	for _, format := range []struct {
		name string
		json bool
		want string
	}{
		{"text", false, "" +
			"[WARN]  app.greet.cache: greeted: plugin=greeter timestamp=\"2024-05-06T07:08:09.123+0200\" n=1\n" +
			"[WARN]  app: no module: plugin=greeter timestamp=2024-05-06T05:08:09.123Z\n" +
			"[WARN]  app: a line without a time: plugin=greeter\n" +
			"[WARN]  app: a record without a time: plugin=greeter\n" +
			"[INFO]  app: the host's own record: plugin=greeter\n"},
		{"JSON", true, "" +
			`{"@level":"warn","@message":"greeted","@module":"app.greet.cache","n":1,"plugin":"greeter","timestamp":"2024-05-06T07:08:09.123+0200"}` + "\n" +
			`{"@level":"warn","@message":"no module","@module":"app","plugin":"greeter","timestamp":"2024-05-06T05:08:09.123Z"}` + "\n" +
			`{"@level":"warn","@message":"a line without a time","@module":"app","plugin":"greeter"}` + "\n" +
			`{"@level":"warn","@message":"a record without a time","@module":"app","plugin":"greeter"}` + "\n" +
			`{"@level":"info","@message":"the host's own record","@module":"app","plugin":"greeter"}` + "\n"},
	} {
		t.Run(format.name, func(t *testing.T) {
			var out bytes.Buffer
			write(hclog.New(&hclog.LoggerOptions{Name: "app", Output: &out, JSONFormat: format.json, DisableTime: true}))
			if got := out.String(); got != format.want {
				t.Errorf("got\n%swant\n%s", got, format.want)
			}
		})
	}
}

func TestHandlerPassesOnTimeAndPlace(t *testing.T) {
	var out bytes.Buffer
	handler := loghclog.NewHandler(hclogJSON(&out, ""), loghclog.HandlerOptions{TimeKey: "when", AddSource: true})
	var pcs [1]uintptr
	_, _, line, _ := runtime.Caller(0)
	runtime.Callers(1, pcs[:])
	at := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	if err := handler.Handle(t.Context(), slog.NewRecord(at, slog.LevelInfo, "m", pcs[0])); err != nil {
		t.Fatal(err)
	}
	got := members(t, &out)[0]
	place, _ := got[loghclog.CallerKey].(string)
	if want := fmt.Sprintf("handler_test.go:%d", line+1); filepath.Base(place) != want {
		t.Errorf("place is %s, want %s", place, want)
	}
	if got["when"] != "2024-05-06T07:08:09Z" {
		t.Errorf("time is %v", got["when"])
	}
}
