//go:build linux || darwin

package runner_test

import (
	"bufio"
	"context"
	"strings"
	"testing"
	"time"
)

func TestAttachKnowsTheEndOfAChildFromBeforeAnExec(t *testing.T) {
	p := started(t, helper("launch and exec"))
	patience := time.AfterFunc(time.Minute, func() { _ = p.Kill(context.Background()) })
	defer patience.Stop()
	lines := bufio.NewReader(p.Stdout())
	var got strings.Builder
	for range 2 {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("after %q: %v", got.String(), err)
		}
		got.WriteString(line)
	}
	if want := "<nil>\nkilled by signal 15 (terminated) <nil>\n"; got.String() != want {
		t.Errorf("got %q, want %q", got.String(), want)
	}
	waitExit(t, p)
}
