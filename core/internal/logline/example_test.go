package logline_test

import (
	"context"
	"log/slog"
	"os"
	"strings"

	"github.com/jackfield-go/jackfield/core/internal/logline"
)

// withoutTime removes the time, for a stable output.
func withoutTime(_ []string, attr slog.Attr) slog.Attr {
	if attr.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return attr
}

// A host turns its plugin's stderr into records of its own log.
func ExamplePump() {
	stderr := strings.NewReader(`{"@level":"info","@message":"ready","@timestamp":"2024-05-06T07:08:09.123456Z","port":4000}
[WARN] the disk is nearly full
panic: no disk

goroutine 1 [running]:
main.main()
`)
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	if err := logline.Pump(stderr, logline.Config{Logger: log}); err != nil {
		log.Error("stderr is lost", "error", err)
	}
	// Output:
	// level=INFO msg=ready port=4000
	// level=WARN msg="the disk is nearly full"
	// level=ERROR msg="panic: no disk" stack="goroutine 1 [running]:\nmain.main()"
}

// A plugin logs in the format of its host.
func ExampleHandler() {
	handler := logline.NewHandler(os.Stdout, logline.HandlerOptions{Name: "greeter"})
	record := slog.Record{Level: slog.LevelInfo, Message: "ready"}
	record.AddAttrs(slog.Int("port", 4000), slog.Group("limits", "calls", 8))
	_ = handler.Handle(context.Background(), record)
	// Output:
	// {"@level":"info","@message":"ready","@module":"greeter","port":4000,"limits.calls":8}
}

// The last lines explain a plugin's failed start.
func ExampleTail() {
	tail := &logline.Tail{MaxLines: 2}
	stderr := strings.NewReader("starting\nreading the configuration\nno such file\n")
	_ = logline.Pump(stderr, logline.Config{Tail: tail})
	os.Stdout.WriteString(strings.Join(tail.Lines(), "\n"))
	// Output:
	// reading the configuration
	// no such file
}
