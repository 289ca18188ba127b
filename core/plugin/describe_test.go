package plugin_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/plugin"
)

// asked are surroundings in which a plugin is asked what it is.
func asked(args ...string) *surroundings {
	s := surround(nil)
	delete(s.variables, cookie.MagicCookieKey)
	s.env.Args = args
	return s
}

// described runs a plugin that says what it is.
func described(t *testing.T, cfg plugin.Config) map[string]any {
	t.Helper()
	s := asked("describe")
	if err := plugin.Run(within(t), s.env, cfg); err != nil {
		t.Fatal(err)
	}
	text := <-s.lines
	if strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "}\n") {
		t.Errorf("it wrote %q", text)
	}
	var answer map[string]any
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return answer
}

// namedTransport knows what it serves.
type namedTransport struct{ *faketransport.Transport }

func (namedTransport) Names(core.Implementations) []string { return []string{"soft", "loud", "loud"} }

func TestDescribeNeedsNoHost(t *testing.T) {
	cfg := plugin.Config{
		Handshake: cookie,
		Versions: core.Versions{
			5: {&faketransport.Transport{Name: "first"}, &faketransport.Transport{Name: "second"}},
			2: {namedTransport{new(faketransport.Transport)}},
		},
		Info: plugin.Info{Name: "greeter", Version: "v1.4.0-rc.1", Services: map[int][]string{5: {"greeter", "admin"}}},
	}
	answer := described(t, cfg)
	if answer["describe"] != 1.0 || answer["name"] != "greeter" || answer["version"] != "1.4.0-rc.1" {
		t.Errorf("got %v", answer)
	}
	want := []any{
		map[string]any{"version": 2.0, "transports": []any{"fake"}, "services": []any{"loud", "soft"}},
		map[string]any{"version": 5.0, "transports": []any{"first", "second"}, "services": []any{"greeter", "admin"}},
	}
	if !reflect.DeepEqual(answer["protocols"], want) {
		t.Errorf("got  %v\nwant %v", answer["protocols"], want)
	}
	build, _ := answer["build"].(map[string]any)
	if build["go"] == "" || build["os"] == "" {
		t.Errorf("built %v", build)
	}
}

func TestDescribeGivesTheSummaryInOneLine(t *testing.T) {
	cfg := config(new(faketransport.Transport))
	for summary, want := range map[string]any{
		"":                                    nil,
		"greets loudly":                       "greets loudly",
		" grüßt,\n\tsehr \x1b[2Jlaut\u2028\n": "grüßt, sehr [2Jlaut",
	} {
		cfg.Info.Summary = summary
		if answer := described(t, cfg); answer["summary"] != want {
			t.Errorf("%q: got %v, want %v", summary, answer["summary"], want)
		}
	}
}

func TestDescribeLeavesOutInvalidVersions(t *testing.T) {
	for version, want := range map[string]any{
		"1.2.3": "1.2.3", "v1.2.3+b": "1.2.3+b", "dev": nil, "1.2": nil, "1.2.3-é": nil, "(devel)": nil, "01.2.3": nil, "": nil, "1..3": nil,
	} {
		cfg := config(new(faketransport.Transport))
		cfg.Info.Version = version
		if got := described(t, cfg)["version"]; got != want {
			t.Errorf("%q: %v, want %v", version, got, want)
		}
	}
}

func TestOnlyTheOneArgumentAsksForADescription(t *testing.T) {
	for _, args := range [][]string{nil, {"describe", "more"}, {"Describe"}, {"--describe"}, {"x", "describe"}} {
		err := refuse(t, asked(args...), config(new(faketransport.Transport)))
		var wrong *core.CookieError
		if !errors.As(err, &wrong) {
			t.Errorf("%q: %v", args, err)
		}
	}
}

func TestNoDescribeLeavesTheCommandToTheApplication(t *testing.T) {
	cfg := config(new(faketransport.Transport))
	cfg.NoDescribe = true
	var wrong *core.CookieError
	if err := refuse(t, asked("describe"), cfg); !errors.As(err, &wrong) {
		t.Errorf("got %v", err)
	}
}

func TestUnderAHostTheArgumentDoesNotMatter(t *testing.T) {
	s := surround(nil)
	s.env.Args = []string{"describe"}
	if line := run(t, s, config(new(faketransport.Transport))).parsed(t); line.Protocol != "fake" {
		t.Errorf("announced %+v", line)
	}
}

func TestDescribeRefusesAWrongCookie(t *testing.T) {
	s := asked("describe")
	s.variables[cookie.MagicCookieKey] = "biscuits"
	var wrong *core.CookieError
	if err := refuse(t, s, config(new(faketransport.Transport))); !errors.As(err, &wrong) {
		t.Errorf("got %v", err)
	}
}

func TestServeDescribesOnStdoutAndReturns(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "describe")
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, cookie.MagicCookieKey+"=")
	}), roleVariable+"=serve")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	first, rest, _ := strings.Cut(stdout.String(), "\n")
	if !json.Valid([]byte(first)) || rest != "after Serve\nby its old name\n" {
		t.Errorf("it wrote %q", &stdout)
	}
}
