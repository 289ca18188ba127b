package loghclog_test

import (
	"log/slog"
	"math"
	"testing"

	"github.com/hashicorp/go-hclog"

	loghclog "github.com/jackfield-go/jackfield/log-hclog"
)

func TestLevelsKeepTheirMeaning(t *testing.T) {
	for _, level := range []hclog.Level{hclog.Trace, hclog.Debug, hclog.Info, hclog.Warn, hclog.Error, hclog.Off} {
		if got := loghclog.HclogLevel(loghclog.SlogLevel(level)); got != level {
			t.Errorf("%v comes back as %v", level, got)
		}
	}
	if got := loghclog.SlogLevel(hclog.NoLevel); got != slog.LevelInfo {
		t.Errorf("no level is %v, want info", got)
	}
}

func TestLevelsInBetweenRoundDown(t *testing.T) {
	for level, want := range map[slog.Level]hclog.Level{
		math.MinInt: hclog.Trace, -9: hclog.Trace, -5: hclog.Trace, -3: hclog.Debug, 1: hclog.Info, 6: hclog.Warn, 9: hclog.Error,
		loghclog.LevelOff: hclog.Off,
	} {
		if got := loghclog.HclogLevel(level); got != want {
			t.Errorf("%d is %v, want %v", level, got, want)
		}
	}
}
