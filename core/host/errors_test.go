package host_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
)

func TestLaunchErrorEscapesAndBoundsThePluginsText(t *testing.T) {
	answer := "denied:\n\x1b]0;title\a\u009b31m\u202e" + strings.Repeat("x", 20_000)
	err := &host.LaunchError{
		Stage: host.StageConnect, Plugin: "p", Path: "/p", Err: errors.New(answer),
		Line: "\u009b", Stderr: []string{"\u202e", "\xff"},
	}
	text := err.Error()
	if strings.ContainsAny(text, "\x1b\a\u009b\u202e") || strings.Contains(text, "\xff") {
		t.Errorf("a terminal would obey %.400q", text)
	}
	for _, want := range []string{"denied:\n  \\x1b]0;title\\a\\u009b31m\\u202ex", "bytes left out", "program: /p", `\u202e`, `\xff`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %.400q", want, text)
		}
	}
	if len(text) > 5_000 {
		t.Errorf("%d bytes", len(text))
	}
	if err.Err.Error() != answer {
		t.Error("the reason itself was changed")
	}
}

func TestLaunchErrorShowsRecordsReadableAndOnce(t *testing.T) {
	lines := []string{`{"@level":"error","@message":"cannot open settings","@timestamp":"2024-05-06T07:08:09Z","err":"denied"}`, "2024/05/06 07:08:09 leaving"}
	exit := &core.ExitError{Plugin: "p", Status: "exit status 1", Stderr: lines}
	err := &host.LaunchError{
		Stage: host.StageConnect, Plugin: "p", Path: "/p", Err: fmt.Errorf("%w: %w", core.ErrConnectionLost, exit), Exit: exit, Stderr: lines,
	}
	const want = "launch plugin p: connect: the connection was lost: plugin p has ended: exit status 1 (exit status 1)\n" +
		"  program: /p\n" +
		"  last lines on its stderr:\n" +
		"    ERROR cannot open settings err=denied\n" +
		"    leaving"
	if got := err.Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A program may be called plugin.
func TestErrorTextsNameAPluginOnce(t *testing.T) {
	for _, err := range []error{
		&host.LaunchError{Stage: host.StageStart, Plugin: "plugin", Err: errors.New("it failed")},
		&host.StopError{Plugin: "plugin", Err: errors.New("it stays")},
		&core.ExitError{Plugin: "plugin", Status: "exit status 3"},
		&core.ExitError{Status: "exit status 3"},
	} {
		if text := err.Error(); strings.Count(text, "plugin") > 1 || strings.Contains(text, "  ") {
			t.Errorf("got %q", text)
		}
	}
	cfg := config(t, "serve", "")
	cfg.Name = "plugin"
	_, err := launch(t, cfg).Dispense(within(t), "coffee")
	if err == nil || !strings.HasPrefix(err.Error(), "plugin: dispense: ") {
		t.Errorf("got %v", err)
	}
}
