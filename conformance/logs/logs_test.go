package logs

import (
	"cmp"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
)

// figure is one comparison: the same flood under both hosts.
type figure struct {
	name        string
	line        uint32
	theirLevel  hclog.Level
	ourLevel    slog.Level
	wantedLines bool    // all lines are logged, not only the last line
	promised    float64 // theirs/ours in time
}

var figures = []figure{
	{"short lines, logged", 0, hclog.Info, slog.LevelInfo, true, 2.5},
	{"full lines, logged", 1, hclog.Info, slog.LevelInfo, true, 2.5},
	{"short lines, below the level", 0, hclog.Warn, slog.LevelWarn, false, 10},
	{"full lines, below the level", 1, hclog.Warn, slog.LevelWarn, false, 10},
}

// TestLogFigures prints each host's lines per second, and their ratio beside the promised
// ratio. It fails only if lines are lost: the machine may be busy.
func TestLogFigures(t *testing.T) {
	count, rounds := 20_000, 5
	if testing.Short() {
		count, rounds = 2_000, 1
	}
	for _, f := range figures {
		t.Run(f.name, func(t *testing.T) {
			theirs, ours := startTheirs(t, f.theirLevel), startOurs(t, f.ourLevel)
			o, records := order{Line: f.line, Count: uint32(count)}, int64(1)
			if f.wantedLines {
				records += int64(count)
			}
			var theirTimes, ourTimes []time.Duration
			for range rounds {
				theirTimes = append(theirTimes, theirs.run(t, o, records))
				ourTimes = append(ourTimes, ours.run(t, o, records))
			}
			perLine := func(times []time.Duration) time.Duration { return median(times) / time.Duration(count) }
			ratio := float64(median(theirTimes)) / float64(median(ourTimes))
			t.Logf("go-plugin %v a line, jackfield %v: %.1f times the lines a second (promised: at least %.1f)",
				perLine(theirTimes), perLine(ourTimes), ratio, f.promised)
		})
	}
}

func median[T cmp.Ordered](samples []T) T {
	slices.Sort(samples)
	return samples[len(samples)/2]
}
