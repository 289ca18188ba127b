package plugin_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strings"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/plugin"
)

// A plugin's log goes to the host as lines that keep their levels and
// attributes. The time is left out here, since it differs each time.
func ExampleNewLogHandler() {
	var lines strings.Builder // a plugin writes to os.Stderr
	logger := slog.New(plugin.NewLogHandler(&lines, plugin.LogOptions{Name: "greeter", Level: slog.LevelInfo}))
	logger.Warn("low on tea", "cups", 2)
	logger.Debug("not written")
	fmt.Print(regexp.MustCompile(`T[0-9:.]+(Z|[-+][0-9:]+)|[0-9]{4}-[0-9]{2}-[0-9]{2}`).ReplaceAllString(lines.String(), ""))
	// Output: {"@level":"warn","@message":"low on tea","@module":"greeter","@timestamp":"","cups":2}
}

// Run is Serve with everything given to it, so that a test can see what a
// plugin does. This one is run by hand, so to speak.
func ExampleRun() {
	err := plugin.Run(context.Background(), plugin.Env{
		Lookup:    func(string) (string, bool) { return "", false },
		Unset:     func(string) {},
		Announce:  os.Stdout,
		Log:       os.Stdout,
		Stdout:    strings.NewReader(""),
		Stderr:    strings.NewReader(""),
		EndOutput: func() {},
	}, plugin.Config{
		Handshake: core.Handshake{MagicCookieKey: "GREETER_PLUGIN", MagicCookieValue: "b7c1a0de"},
		Versions:  core.Versions{1: {&faketransport.Transport{}}},
	})
	text, _, _ := strings.Cut(err.Error(), ":")
	_, _ = io.WriteString(os.Stdout, text)
	// Output: this program is a plugin
}
