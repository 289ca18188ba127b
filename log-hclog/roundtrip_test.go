package loghclog_test

import (
	"bytes"
	"context"
	"log/slog"
	"reflect"
	"testing"

	"github.com/hashicorp/go-hclog"

	loghclog "github.com/jackfield-go/jackfield/log-hclog"
)

// talk logs at every level, with names, groups and attributes.
func talk(log *slog.Logger) {
	named := log.With(loghclog.NameKey, "web", "a", 1)
	for _, level := range []slog.Level{loghclog.LevelTrace, slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		named.WithGroup("g").Log(context.Background(), level, "m", "b", "x", slog.Group("h", "c", true))
	}
	log.Info("no name", "d", 1.5)
}

func TestSlogToHclogToSlog(t *testing.T) {
	var out bytes.Buffer
	middle := loghclog.NewLogger(slogJSON(&out), loghclog.LoggerOptions{Name: "app"})
	talk(slog.New(loghclog.NewHandler(wrapped{middle}, loghclog.HandlerOptions{})))
	want := []map[string]any{}
	for _, level := range []string{"DEBUG-4", "DEBUG", "INFO", "WARN", "ERROR"} {
		want = append(want, map[string]any{"level": level, "msg": "m", "@module": "app.web", "a": 1.0, "g.b": "x", "g.h.c": true})
	}
	want = append(want, map[string]any{"level": "INFO", "msg": "no name", "@module": "app", "d": 1.5})
	if got := members(t, &out); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}
}

func TestSlogToOurHclogToSlogLosesNothing(t *testing.T) {
	var direct, around bytes.Buffer
	middle := loghclog.NewLogger(slogJSON(&around), loghclog.LoggerOptions{})
	for _, handler := range []slog.Handler{slogJSON(&direct), loghclog.NewHandler(middle, loghclog.HandlerOptions{})} {
		log := slog.New(handler)
		talk(log)
		log.Log(context.Background(), 2, "between", slog.Group("g", "a", 1))
	}
	if direct.String() != around.String() {
		t.Errorf("got\n%swant\n%s", around.String(), direct.String())
	}
	middle.SetLevel(hclog.Error)
	if slog.New(loghclog.NewHandler(middle, loghclog.HandlerOptions{})).With("a", 1).WithGroup("g").Enabled(t.Context(), slog.LevelWarn) {
		t.Error("the round trip loses the logger's level")
	}
}

func TestHclogToSlogToHclog(t *testing.T) {
	speak := func(log hclog.Logger) {
		sub := log.Named("web").With("a", 1)
		sub.Trace("m", "b", hclog.Fmt("%d", 2))
		sub.Debug("m", "err", errBad)
		sub.Info("m", "list", []int{1, 2})
		sub.Named("db").Warn("m", "odd")
		sub.ResetNamed("other").Error("m")
	}
	var direct, around bytes.Buffer
	speak(hclogJSON(&direct, ""))
	speak(loghclog.NewLogger(loghclog.NewHandler(hclogJSON(&around, ""), loghclog.HandlerOptions{}), loghclog.LoggerOptions{}))
	if got, want := members(t, &around), members(t, &direct); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}
}

type badError struct{}

func (badError) Error() string { return "bad" }

var errBad error = badError{}
