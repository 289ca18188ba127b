//go:build unix

package faults

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core/host"
)

// TestF7: the plugin hangs.
func TestF7(t *testing.T) {
	t.Run("goplugin", testF7GoPlugin)
	t.Run("jackfield", testF7Jackfield)
}

// limitF7 is the time after which a ping or a kill counts as hanging.
const limitF7 = time.Second

func testF7GoPlugin(t *testing.T) {
	for name, start := range map[string]func(*testing.T, world) subject{
		"net/rpc": func(t *testing.T, w world) subject { return w.goplugin(t, "goplugin/plugin", "", nil) },
		"gRPC":    func(t *testing.T, w world) subject { return w.goplugingrpc(t, theirGRPCRole, false) },
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, newWorld(t))
			protocol, err := s.Client.Client()
			if err != nil {
				t.Fatal(err)
			}
			resume := stopF7(t, s.ReattachConfig().Pid)
			pinged, killed := running(func() { _ = protocol.Ping() }), running(s.Kill)
			if within(limitF7, pinged) {
				t.Error("the ping returned, expected it to hang")
			}
			if within(limitF7, killed) {
				t.Error("the kill returned, expected it to hang")
			}
			resume()
			for _, done := range []<-chan struct{}{pinged, killed} {
				if !within(patience, done) {
					t.Error("still hangs after the plugin went on")
				}
			}
		})
	}
}

// stopF7 stops a process. A call of resume, or the end of the test, lets it go on.
func stopF7(t *testing.T, pid int) (resume func()) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for { // until each of its threads has stopped
		_, err := syscall.Wait4(pid, nil, syscall.WUNTRACED, nil)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EINTR) {
			t.Fatal(err)
		}
	}
	resume = func() { _ = syscall.Kill(pid, syscall.SIGCONT) }
	t.Cleanup(resume)
	return resume
}

// testF7Jackfield expects that a ping ends with its context, that a kill works at once, and that a
// stop kills at the end of its context.
func testF7Jackfield(t *testing.T) {
	t.Run("net/rpc", func(t *testing.T) {
		eachPlugin(t, func(t *testing.T, role string) {
			endF7(t, func(w world) *host.Client { return w.launch(t, role, "").Client })
		})
	})
	t.Run("gRPC", func(t *testing.T) {
		eachGRPCPlugin(t, func(t *testing.T, role string) {
			endF7(t, func(w world) *host.Client { return w.launchGRPC(t, role, false).Client })
		})
	})
}

func endF7(t *testing.T, launch func(world) *host.Client) {
	t.Helper()
	for name, end := range map[string]func(*host.Client) error{
		"kill": func(c *host.Client) error { return c.Kill(bounded(t)) },
		"stop": func(c *host.Client) error {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			err := c.Stop(ctx)
			if stop := (*host.StopError)(nil); !errors.As(err, &stop) || stop.Left {
				return fmt.Errorf("%w, expected a host.StopError", err)
			}
			return nil
		},
	} {
		w := newWorld(t)
		client := launch(w)
		pid, err := strconv.Atoi(client.ID())
		if err != nil {
			t.Fatal(err)
		}
		stopF7(t, pid)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := client.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ping: %v, expected context.DeadlineExceeded", err)
		}
		if err := end(client); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		w.expectGone(t)
	}
}
