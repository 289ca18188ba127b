package loghclog_test

import (
	"log/slog"
	"os"

	"github.com/hashicorp/go-hclog"

	loghclog "github.com/jackfield-go/jackfield/log-hclog"
)

// An application with an hclog.Logger gives it to code that logs through slog.
func ExampleNewHandler() {
	existing := hclog.New(&hclog.LoggerOptions{Name: "app", Output: os.Stdout, DisableTime: true})
	log := slog.New(loghclog.NewHandler(existing, loghclog.HandlerOptions{}))

	log.Info("ready", "port", 4000)
	log.With(loghclog.NameKey, "plugin").WithGroup("request").Warn("slow", "seconds", 3)
	// Output:
	// [INFO]  app: ready: port=4000
	// [WARN]  app.plugin: slow: request.seconds=3
}

// A library that asks for an hclog.Logger writes to the application's slog.
func ExampleNewLogger() {
	handler := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime})
	log := loghclog.NewLogger(handler, loghclog.LoggerOptions{Name: "library", Level: hclog.Info})

	log.Debug("not shown")
	log.Named("cache").Info("full", "entries", 17, "mask", hclog.Hex(255))
	// Output:
	// level=INFO msg=full @module=library.cache entries=17 mask=0xff
}

// withoutTime makes an example's output the same every day.
func withoutTime(_ []string, attr slog.Attr) slog.Attr {
	if attr.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return attr
}
