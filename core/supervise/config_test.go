package supervise

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
)

func TestStartNamesAnInvalidSetting(t *testing.T) {
	for setting, cfg := range map[string]Config{
		"Config.Restart.MinPause": {Restart: Restart{MinPause: -1}},
		"Config.Restart.MaxPause": {Restart: Restart{MinPause: 2, MaxPause: 1}},
		"Config.Restart.Steady":   {Restart: Restart{Steady: -1}},
		"Config.Probe.Timeout":    {Probe: Probe{Timeout: -1}},
		"Config.Probe.Threshold":  {Probe: Probe{Threshold: -1}},
	} {
		if _, err := Start(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), setting) {
			t.Errorf("%s: %v", setting, err)
		}
	}
}

func TestPauseGrowsToItsMaximum(t *testing.T) {
	r := Restart{MinPause: time.Second, MaxPause: time.Minute}
	for failures, want := range map[int]time.Duration{
		1: time.Second, 2: 2 * time.Second, 6: 32 * time.Second, 7: time.Minute, 1 << 20: time.Minute,
	} {
		for range 100 {
			if got := r.pause(failures); got < want/2 || got > want {
				t.Errorf("after %d failures: %v, want %v to %v", failures, got, want/2, want)
			}
		}
	}
}

func TestErrorsNameThePluginAndTheRemedy(t *testing.T) {
	crash := &core.ExitError{Plugin: "greeter", Code: 3, Status: "exit status 3"}
	for _, tc := range []struct {
		err  error
		want string
	}{
		{
			&DownError{Plugin: "greeter", Err: crash, end: context.DeadlineExceeded},
			"plugin greeter is not running and is being launched again: the call waited in vain: context deadline exceeded " +
				"(the last process: plugin greeter has ended: exit status 3)",
		},
		{
			&GaveUpError{Plugin: "greeter", Failures: 10, Err: crash},
			"plugin greeter failed 10 times in a row and is not launched any more: " +
				"plugin greeter has ended: exit status 3",
		},
		{
			&UnhealthyError{Plugin: "greeter", Probes: 3, Err: errSlow},
			"plugin greeter failed 3 probes in a row and was stopped: no answer in time",
		},
	} {
		if got := tc.err.Error(); got != tc.want {
			t.Errorf("\n got %s\nwant %s", got, tc.want)
		}
	}
	if !errors.Is(&DownError{Err: crash}, crash) || !errors.Is(&GaveUpError{Err: crash}, crash) {
		t.Error("the reason is hidden")
	}
}
