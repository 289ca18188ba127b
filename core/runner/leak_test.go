package runner_test

import (
	"bytes"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// resources are the things a test must give back, by identity rather than number:
// remains of an earlier test may end at any time and make a number smaller. Files are
// listed on Linux only.
type resources struct{ goroutines, files map[string]bool }

func census(t *testing.T) resources {
	t.Helper()
	return resources{goroutines: goroutines(), files: openFiles()}
}

// since returns the resources of r that are not in before.
func (r resources) since(before resources) resources {
	return resources{
		goroutines: without(r.goroutines, before.goroutines),
		files:      without(r.files, before.files),
	}
}

func without(all, some map[string]bool) map[string]bool {
	rest := maps.Clone(all)
	maps.DeleteFunc(rest, func(key string, _ bool) bool { return some[key] })
	return rest
}

// goroutines returns the numbers of all goroutines but those of the runtime. The
// runtime shows its own while they run something for others (finalizers). No number
// is given twice.
func goroutines() map[string]bool {
	numbers := make(map[string]bool)
	for stack := range bytes.SplitSeq(stacks(), []byte("\n\n")) {
		if number, _, ok := strings.Cut(string(stack), " ["); ok && !bytes.Contains(stack, []byte("\ncreated by runtime.")) {
			numbers[number] = true
		}
	}
	return numbers
}

// stacks are those of all goroutines.
func stacks() []byte {
	for size := 1 << 16; ; size *= 2 {
		text := make([]byte, size)
		if n := runtime.Stack(text, true); n < size {
			return text[:n]
		}
	}
}

// openFiles returns the open descriptors and their targets.
func openFiles() map[string]bool {
	files := make(map[string]bool)
	const dir = "/proc/self/fd/"
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		// The directory itself is gone again.
		if target, err := os.Readlink(dir + entry.Name()); err == nil {
			files[entry.Name()+" "+target] = true
		}
	}
	return files
}

// awaitSame fails unless everything newer than the earlier census goes away. A
// goroutine needs a moment to end after it has closed its last channel.
func (r resources) awaitSame(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		left := census(t).since(r)
		if len(left.goroutines) == 0 && len(left.files) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("left behind: %q %q\n%s",
				slices.Sorted(maps.Keys(left.goroutines)), slices.Sorted(maps.Keys(left.files)), stacks())
		}
		runtime.Gosched()
	}
}
