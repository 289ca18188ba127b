//go:build unix

package faults

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/core/host"
)

// TestF8: a plugin is killed while its start waits for the handshake.
func TestF8(t *testing.T) {
	t.Run("goplugin", testF8GoPlugin)
	t.Run("jackfield", testF8Jackfield)
}

// startTimeoutF8 is the timeout of the start.
const startTimeoutF8 = 3 * time.Second

func testF8GoPlugin(t *testing.T) {
	s := newWorld(t).goplugin(t, "silent", "", func(config *goplugin.ClientConfig) {
		config.StartTimeout = startTimeoutF8
	})
	var startErr error
	started := running(func() { _, startErr = s.Start() })
	if _, err := s.log.WaitFor(t.Context(), "waiting for RPC address"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	s.Kill()
	took := time.Since(began)
	<-started
	t.Logf("kill took %v of a start timeout of %v; start: %v", took.Round(time.Millisecond), startTimeoutF8, startErr)
	if took < startTimeoutF8*9/10 {
		t.Errorf("kill did not wait for the start's timeout: %v", took)
	}
}

// testF8Jackfield cancels the context of a waiting launch: after its return nothing is
// left.
func testF8Jackfield(t *testing.T) {
	w := newWorld(t)
	cfg, _ := w.jackfield(t, "silent", "")
	ctx, cancel := context.WithCancel(bounded(t))
	defer cancel()
	launched := make(chan error, 1)
	go func() {
		_, err := host.Launch(ctx, cfg)
		launched <- err
	}()
	var pid string
	if !poll(patience, func() bool {
		entries, _ := os.ReadDir(w.processes())
		if len(entries) == 1 {
			pid = entries[0].Name()
		}
		return pid != "" && w.running(pid)
	}) {
		t.Fatal("the plugin did not start")
	}
	began := time.Now()
	cancel()
	err := <-launched
	took := time.Since(began)
	t.Logf("the launch ended %v after its context; %v", took.Round(time.Millisecond), err)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, expected context.Canceled", err)
	}
	if took > startTimeoutF8/3 {
		t.Errorf("the launch took %v to end", took)
	}
	if w.running(pid) {
		t.Error("the process still runs")
	}
	w.expectGone(t)
}
