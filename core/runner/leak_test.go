package runner_test

import (
	"os"
	"runtime"
	"testing"
	"time"
)

// counts are what a test must give back. Files are counted on Linux only.
type counts struct{ goroutines, files int }

func census(t *testing.T) counts {
	t.Helper()
	c := counts{goroutines: runtime.NumGoroutine()}
	if entries, err := os.ReadDir("/proc/self/fd"); err == nil {
		c.files = len(entries)
	}
	return c
}

// awaitSame fails unless everything above the earlier counts goes away. A
// goroutine that has closed its last channel still needs a moment to be gone.
func (c counts) awaitSame(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		now := census(t)
		if now.goroutines <= c.goroutines && now.files <= c.files {
			return
		}
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("left behind: %+v, before %+v\n%s", now, c, stacks[:runtime.Stack(stacks, true)])
		}
		runtime.Gosched()
	}
}
