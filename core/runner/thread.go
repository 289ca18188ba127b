package runner

import (
	"runtime"
	"sync"
)

// parent starts the processes that the system ends with the thread that started them. One thread does
// for all: a thread costs the process as much memory as the rest of a plugin's goroutines. It has no
// other state, so callers that know nothing of each other can share it.
var parent thread

// thread is a thread of the system of its own. It exists while it is held. The zero value is ready
// for use.
type thread struct {
	mu      sync.Mutex
	holders int
	tasks   chan func() // of the present thread
}

// hold keeps the thread until release is called.
func (t *thread) hold() (release func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.holders++; t.holders == 1 {
		t.tasks = make(chan func())
		go work(t.tasks)
	}
	return sync.OnceFunc(t.leave)
}

func (t *thread) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.holders--; t.holders == 0 {
		close(t.tasks)
	}
}

// do runs a task on the thread, which the caller holds.
func (t *thread) do(task func()) {
	t.mu.Lock()
	tasks := t.tasks
	t.mu.Unlock()
	done := make(chan struct{})
	tasks <- func() {
		defer close(done)
		task()
	}
	<-done
}

// work runs tasks on one thread, which no other goroutine can end.
func work(tasks <-chan func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for task := range tasks {
		task()
	}
}
