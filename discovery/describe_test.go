package discovery_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/testkit"
)

func describe(t *testing.T, role string, d discovery.Describer) (*discovery.Description, error) {
	t.Helper()
	return d.Describe(testkit.Within(t), testkit.Place(t, t.TempDir(), "greet-plugin-"+role))
}

func TestDescribeReadsTheAnswer(t *testing.T) {
	d, err := describe(t, "good", discovery.Describer{})
	if err != nil {
		t.Fatal(err)
	}
	if d.Name != "greeter" || d.Summary != "greets loudly" || d.Version != testkit.Version(t, "1.4.0") || !slices.Equal(d.Speaks(), []int{4, 5}) {
		t.Errorf("got %+v", d)
	}
	if first := d.AppVersions[0]; first.Version != 5 || !slices.Equal(first.Transports, []string{"grpc", "netrpc"}) || !slices.Equal(first.Services, []string{"greeter"}) {
		t.Errorf("got %+v", first)
	}
	if *d.Build != (discovery.Build{Go: "go1.25", Revision: "abc", Modified: true}) {
		t.Errorf("got %+v", d.Build)
	}
}

// Of two answers the first counts.
func TestDescribeTakesNoLogForTheAnswer(t *testing.T) {
	d, err := describe(t, "logs", discovery.Describer{})
	if err != nil || d.Name != "logger" {
		t.Errorf("got %+v, %v", d, err)
	}
}

func TestDescribeTakesTheCookieOutOfTheEnvironment(t *testing.T) {
	t.Setenv(cookieKey, "crumbs")
	for _, test := range []struct {
		describer discovery.Describer
		want      string
	}{
		{discovery.Describer{CookieKey: cookieKey}, `cookie false, args describe`},
		{discovery.Describer{}, `cookie true, args describe`},
		{discovery.Describer{CookieKey: cookieKey, Env: append(os.Environ(), cookieKey+"=again")}, `cookie false, args describe`},
	} {
		d, err := describe(t, "cookie", test.describer)
		if err != nil || d.Name != test.want {
			t.Errorf("got %+v, %v", d, err)
		}
	}
}

func TestDescribeReportsAWrongAnswer(t *testing.T) {
	var exit *exec.ExitError
	tests := map[string]struct {
		err  error
		line int
		says []string
	}{
		"silent":   {discovery.ErrNoDescription, 1, []string{"no line begins with {"}},
		"nonsense": {discovery.ErrNoDescription, 4, []string{":4:", "invalid character"}},
		"cut":      {discovery.ErrNoDescription, 2, []string{"breaks off"}},
		"control":  {discovery.ErrNoDescription, 1, []string{"unprintable characters", `\x1b`}},
		"summary":  {discovery.ErrNoDescription, 1, []string{"unprintable characters", `one\ntwo`}},
		"unfit":    {discovery.ErrNoDescription, 1, []string{`"new" is no version constraint`}},
		"version":  {discovery.ErrNoDescription, 1, []string{"semantic version"}},
		"later":    {discovery.ErrNoDescription, 1, []string{`"describe": 2`}},
		"number":   {discovery.ErrNoDescription, 1, []string{"negative"}},
		"utf8":     {discovery.ErrNoDescription, 1, []string{"UTF-8"}},
		"onlylogs": {discovery.ErrNoDescription, 2, []string{"breaks off"}},
		"deep":     {discovery.ErrNoDescription, 8001, []string{"breaks off"}},
		"flood":    {discovery.ErrDescribeFlood, 0, []string{"killed"}},
		"exit":     {nil, 0, []string{"exit status 3", `"not meant to be run by hand"`}},
	}
	for role, test := range tests {
		t.Run(role, func(t *testing.T) {
			d, err := describe(t, role, discovery.Describer{})
			var wrong *discovery.DescribeError
			if d != nil || !errors.As(err, &wrong) || wrong.Line != test.line {
				t.Fatalf("got %+v, %v", d, err)
			}
			if test.err != nil && !errors.Is(err, test.err) || test.err == nil && !errors.As(err, &exit) {
				t.Errorf("got %v", err)
			}
			for _, part := range test.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in %v", part, err)
				}
			}
			if strings.ContainsAny(err.Error(), "\x1b\n") {
				t.Errorf("the text holds control characters: %q", err)
			}
		})
	}
}

func TestDescribeKillsAPluginThatHangs(t *testing.T) {
	before := runtime.NumGoroutine()
	_, err := describe(t, "hang", discovery.Describer{Timeout: 200 * time.Millisecond})
	var wrong *discovery.DescribeError
	if !errors.As(err, &wrong) || !errors.Is(err, discovery.ErrDescribeTimeout) || wrong.Stderr != "thinking" {
		t.Errorf("got %v", err)
	}
	noMoreGoroutines(t, before)
}

func TestDescribeEndsWithTheContext(t *testing.T) {
	broken := errors.New("changed my mind")
	ctx, cancel := context.WithCancelCause(t.Context())
	path := testkit.Place(t, t.TempDir(), "greet-plugin-hang")
	timer := time.AfterFunc(50*time.Millisecond, func() { cancel(broken) })
	defer timer.Stop()
	if _, err := (discovery.Describer{Timeout: -1}).Describe(ctx, path); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if _, err := (discovery.Describer{}).Describe(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestDescribeSurvivesAFloodOfLogs(t *testing.T) {
	before := runtime.NumGoroutine()
	if _, err := describe(t, "stderrflood", discovery.Describer{}); err != nil {
		t.Error(err)
	}
	noMoreGoroutines(t, before)
}

// Neither the child nor the goroutines at its output stay.
func TestDescribeDoesNotWaitForAChildWithTheOutput(t *testing.T) {
	before := runtime.NumGoroutine()
	start := time.Now()
	d, err := describe(t, "child", discovery.Describer{Grace: 50 * time.Millisecond})
	if err != nil || d.Name != "parent" {
		t.Errorf("got %+v, %v", d, err)
	}
	if took := time.Since(start); took > testkit.Patience/2 {
		t.Errorf("it took %v", took)
	}
	noMoreGoroutines(t, before)
}

func TestDescribeFailsForAFileThatCannotRun(t *testing.T) {
	path := testkit.Put(t, t.TempDir(), "greet-plugin-broken", "\x7fELF nothing")
	for _, path := range []string{path, path + "x"} {
		_, err := (discovery.Describer{}).Describe(t.Context(), path)
		var wrong *discovery.DescribeError
		if !errors.As(err, &wrong) || wrong.Path != path {
			t.Errorf("got %v", err)
		}
	}
}

func noMoreGoroutines(t *testing.T, before int) {
	t.Helper()
	deadline := time.After(testkit.Patience)
	for runtime.NumGoroutine() > before {
		select {
		case <-deadline:
			t.Fatalf("%d goroutines, and %d before", runtime.NumGoroutine(), before)
		default:
			runtime.Gosched()
		}
	}
}
