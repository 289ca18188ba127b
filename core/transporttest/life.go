package transporttest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
)

// lifeTests try the life of a plugin's process.
var lifeTests = map[string]func(*testing.T, *fixture){
	"delivers what was printed before an orderly end": printed,
	"runs the shutdown hooks after the calls":         hooksAfterCalls,
	"says how the process ended when a call fails":    exitDuringCall,
	"has the last lines of the log in a call's error": lastLinesOfCall,
	"ends a call in flight when it is killed":         killDuringCall,
	"says which release runs, and where":              released,
}

func released(t *testing.T, f *fixture) {
	got := f.client.Info()
	if got.Version != pluginVersion || got.RequiresHost != requiresHost || got.Language != runtime.Version() || got.Library == "" {
		t.Errorf("of itself it says %+v", got)
	}
	if strconv.Itoa(got.PID) != f.pid || got.Address == "" || got.AppVersion != 1 || got.MutualTLS != f.secured {
		t.Errorf("the host says %+v", got)
	}
}

// refuse launches releases that do not fit.
func (s Suite) refuse(t *testing.T) {
	for name, c := range map[string]struct {
		required, version string
		want              core.RequirementError
	}{
		"refuses the plugin":             {"~> 1.5", hostVersion, core.RequirementError{Side: "host", Required: "~> 1.5", Got: pluginVersion}},
		"refuses the host":               {required, "3.0.0", core.RequirementError{Side: "plugin", Required: requiresHost, Got: "3.0.0"}},
		"refuses a host without version": {required, "", core.RequirementError{Side: "plugin", Required: requiresHost}},
	} {
		t.Run(name, func(t *testing.T) {
			_, cfg := s.prepare(t, host.Config{})
			cfg.Command, cfg.Require, cfg.HostVersion = command(t), c.required, c.version
			client, err := host.Launch(within(t), cfg)
			if err == nil {
				_ = client.Kill(within(t))
			}
			var refusal *core.RequirementError
			if !errors.As(err, &refusal) || *refusal != c.want {
				t.Errorf("got %v, want %+v", err, c.want)
			}
		})
	}
}

func printed(t *testing.T, f *fixture) {
	const lines = 500
	var stdout, stderr strings.Builder
	for i := range lines {
		out, err := fmt.Sprintf("out %d\n", i), fmt.Sprintf("err %d\n", i)
		stdout.WriteString(out)
		stderr.WriteString(err)
		if err := f.probe.Print(within(t), out, err); err != nil {
			t.Fatal(err)
		}
	}
	large := strings.Repeat("z", 1<<20)
	stdout.WriteString(large)
	if err := f.probe.Print(within(t), large, ""); err != nil {
		t.Fatal(err)
	}
	if err := f.client.Stop(within(t)); err != nil {
		t.Fatal(err)
	}
	if got := f.stdout.String(); got != stdout.String() {
		t.Errorf("stdout: got %d bytes, want %d", len(got), stdout.Len())
	}
	if got := f.stderr.String(); got != stderr.String() {
		t.Errorf("stderr: got %d bytes, want %d", len(got), stderr.Len())
	}
}

func hooksAfterCalls(t *testing.T, f *fixture) {
	returned := make(chan error, 1)
	go func() { returned <- f.probe.Block(within(t)) }()
	f.stdout.await(t, blockBegan)
	if err := f.client.Stop(within(t)); err != nil {
		t.Fatal(err)
	}
	if err := <-returned; err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the call that was cut off returned %v, want an error", err)
	}
	if got, want := f.stdout.String(), blockBegan+blockEnded+hookRan; got != want {
		t.Errorf("the plugin printed\n%swant\n%s", got, want)
	}
}

func exitDuringCall(t *testing.T, f *fixture) {
	err := f.probe.Exit(within(t), 3)
	var exit *core.ExitError
	if !errors.As(err, &exit) || exit.Code != 3 {
		t.Errorf("the call that ended the process returned %v, want a core.ExitError with status 3", err)
	}
	<-f.client.Done()
	if err := f.client.Err(); !errors.As(err, &exit) || exit.Code != 3 {
		t.Errorf("Err is %v, want a core.ExitError with status 3", err)
	}
	if _, err := f.probe.Echo(within(t), "x"); !errors.As(err, &exit) {
		t.Errorf("a later call returned %v, want a core.ExitError", err)
	}
	if err := f.client.Close(); err != nil {
		t.Errorf("Close after a crash: %v", err)
	}
}

func lastLinesOfCall(t *testing.T, f *fixture) {
	err := f.probe.Exit(within(t), 1)
	const want = "exit status 1 (last on stderr: WARN no settings tried=2 | " + lastWords + ")"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the call returned %v, want %q in its text", err, want)
	}
}

func killDuringCall(t *testing.T, f *fixture) {
	returned := make(chan error, 1)
	go func() { returned <- f.probe.Block(within(t)) }()
	if _, err := f.probe.Echo(within(t), "the other call is under way"); err != nil {
		t.Fatal(err)
	}
	if err := f.client.Kill(within(t)); err != nil {
		t.Fatal(err)
	}
	if err := <-returned; !errors.Is(err, core.ErrClosed) {
		t.Errorf("the call in flight returned %v, want core.ErrClosed", err)
	}
	f.checkGone(t)
}
