package host

import (
	"log/slog"
	"testing"
)

// unlogged measures a launch and makes its record, which the logger does not take.
func unlogged(tb testing.TB) func() {
	tb.Helper()
	l := launch{process: &process{logger: slog.New(slog.DiscardHandler)}}
	return func() {
		for _, stage := range stages {
			l.clock.enter(stage)
		}
		l.clock.enter("")
		l.record(tb.Context(), Info{}, nil)
	}
}

func TestLaunchRecordAllocatesNothingUnlessItIsWanted(t *testing.T) {
	if n := testing.AllocsPerRun(100, unlogged(t)); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkLaunchRecordUnwanted(b *testing.B) {
	launch := unlogged(b)
	for b.Loop() {
		launch()
	}
}
