package runner_test

import (
	"os"
	"testing"

	"github.com/jackfield-go/jackfield/core/runner"
)

// threads counts the threads of this process.
func threads(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(tasks)
}

// A thread costs as much memory as the rest of a host's plugin. The runtime itself starts a few, for
// each processor and for the system calls of other tests.
func TestProcessesShareAThread(t *testing.T) {
	const many = 60
	before := threads(t)
	processes := make([]*runner.Process, many)
	for i := range processes {
		_, path := witness(t)
		processes[i] = started(t, helper("holder", path))
		awaitReady(t, processes[i])
	}
	if grown := threads(t) - before; grown > many/2 {
		t.Errorf("%d threads more for %d processes", grown, many)
	}
	for _, p := range processes {
		if err := p.Kill(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
