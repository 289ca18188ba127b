package plugintest

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// leakPatience limits the wait for resources ended by a test.
const leakPatience = 5 * time.Second

// NoLeaks fails the test if at its end there are goroutines, open files or
// child processes made since the call of NoLeaks. Call it first in the test.
// Files and processes are seen on Linux only. It is not for parallel tests.
func NoLeaks(tb testing.TB) {
	tb.Helper()
	before := snapshot()
	tb.Cleanup(func() {
		var leaked []string
		deadline := time.Now().Add(leakPatience)
		for pause := time.Millisecond; ; pause *= 2 {
			if leaked = snapshot().since(before); len(leaked) == 0 {
				return
			}
			if time.Now().After(deadline) {
				break
			}
			runtime.GC()      // finalizers close what the standard library keeps
			time.Sleep(pause) //nolint:forbidigo // nothing announces the end of what somebody forgot
		}
		tb.Errorf("left behind:\n%s", strings.Join(leaked, "\n"))
	})
}

// resources are a process's resources, by a unique key.
type resources map[string]string

func snapshot() resources {
	r := make(resources)
	addGoroutines(r)
	addFiles(r)
	addChildren(r)
	return r
}

// since lists the resources in r but not in before.
func (r resources) since(before resources) []string {
	var extra []string
	for key, description := range r {
		if _, ok := before[key]; !ok {
			extra = append(extra, description)
		}
	}
	slices.Sort(extra)
	return extra
}

// addGoroutines reads the stacks of all goroutines except those of the runtime
// and of package testing.
func addGoroutines(r resources) {
	stacks := make([]byte, 64<<10)
	for {
		n := runtime.Stack(stacks, true)
		if n < len(stacks) {
			stacks = stacks[:n]
			break
		}
		stacks = make([]byte, 2*len(stacks))
	}
	for stack := range bytes.SplitSeq(stacks, []byte("\n\n")) {
		text := string(stack)
		head, _, _ := strings.Cut(text, " [")
		if isForeign(text) {
			continue
		}
		r[head] = text
	}
}

// isForeign reports whether no test owns the goroutine.
func isForeign(stack string) bool {
	for _, part := range []string{
		"testing.(*M).", "testing.tRunner(", "testing.runTests", "testing.(*T).Run(", "testing.runFuzz",
		"runtime.goexit0", "os/signal.signal_recv", "os/signal.loop", "created by runtime.",
	} {
		if strings.Contains(stack, part) {
			return true
		}
	}
	return false
}

// addFiles lists the open files where the system tells.
func addFiles(r resources) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, entry := range entries {
		target, err := os.Readlink("/proc/self/fd/" + entry.Name())
		if err != nil || strings.HasPrefix(target, "anon_inode:") || strings.HasSuffix(target, "/fd") {
			continue // gone meanwhile, the poller, or this very directory
		}
		r["file "+entry.Name()+" "+target] = fmt.Sprintf("file %s: %s", entry.Name(), target)
	}
}

// addChildren lists the child processes where the system tells.
func addChildren(r resources) {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return
	}
	for _, task := range tasks {
		children, err := os.ReadFile("/proc/self/task/" + task.Name() + "/children")
		if err != nil {
			continue
		}
		for pid := range strings.FieldsSeq(string(children)) {
			name, _ := os.ReadFile("/proc/" + pid + "/comm")
			r["process "+pid] = fmt.Sprintf("process %s: %s", pid, strings.TrimSpace(string(name)))
		}
	}
}
