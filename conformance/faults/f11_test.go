//go:build unix

package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"syscall"
	"testing"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/conformance/goplugin/probeplugin"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/plugintest"
)

// TestF11: many plugins crash.
func TestF11(t *testing.T) {
	t.Run("goplugin", testF11GoPlugin)
	t.Run("jackfield", testF11Jackfield)
}

// pluginsF11 is the number of crashing plugins.
const pluginsF11 = 30

// countsF11 holds the counts of a host, in its own process and in its directory.
type countsF11 struct {
	// Before precedes any plugin; After follows all crashes, once go-plugin knows them;
	// Killed follows a kill of each client.
	Before, After, Killed int
	// Sockets is the number of socket files at the end.
	Sockets int
	// Stacks are the goroutines of After, in groups.
	Stacks string
}

func testF11GoPlugin(t *testing.T) {
	tests := []struct {
		protocol   string
		goroutines int // minimum number left for each plugin
	}{
		{"netrpc", 0}, // none was ever left
		{"grpc", 3},
	}
	for _, test := range tests {
		t.Run(test.protocol, func(t *testing.T) {
			stdout, stderr, status := newWorld(t).runHost(t, "goplugin/host of F11", test.protocol)
			var counts countsF11
			if err := json.Unmarshal([]byte(stdout), &counts); status != 0 || err != nil {
				t.Fatalf("host: exit status %d, %v\n%s", status, err, stderr)
			}
			t.Logf("%d crashes: goroutines %d before, %d after, %d after a kill of each; sockets %d",
				pluginsF11, counts.Before, counts.After, counts.Killed, counts.Sockets)
			if leaked := counts.After - counts.Before; leaked < test.goroutines*pluginsF11 {
				t.Errorf("%d goroutines more than before, expected %d for each plugin:\n%s",
					leaked, test.goroutines, counts.Stacks)
			}
			if counts.Sockets != pluginsF11 {
				t.Errorf("%d sockets left, expected %d", counts.Sockets, pluginsF11)
			}
		})
	}
}

// playHostF11 is a host whose plugins crash one after the other. The argument names their
// protocol.
func playHostF11(w world, protocol string) int {
	counts, err := hostF11(w, protocol)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(counts)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitBadRole
	}
	return 0
}

func hostF11(w world, protocol string) (countsF11, error) {
	counts := countsF11{Before: runtime.NumGoroutine()}
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	var subjects []subject
	for range pluginsF11 {
		s, err := crashF11(ctx, w, protocol)
		if err != nil {
			return counts, err
		}
		subjects = append(subjects, s)
	}
	counts.After = settledGoroutines()
	var stacks bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&stacks, 1); err != nil {
		return counts, err
	}
	counts.Stacks = stacks.String()
	for _, s := range subjects {
		s.Kill()
	}
	counts.Killed = settledGoroutines()
	sockets, err := w.listSockets()
	counts.Sockets = len(sockets)
	return counts, err
}

// crashF11 starts a plugin, connects to it, kills its process from outside and waits until
// go-plugin detects it.
func crashF11(ctx context.Context, w world, protocol string) (subject, error) {
	role := "goplugin/plugin"
	if protocol == "grpc" {
		role = "goplugin/grpc plugin"
	}
	s, err := w.subject(role, "", func(config *goplugin.ClientConfig) {
		if protocol == "grpc" {
			config.VersionedPlugins[1] = goplugin.PluginSet{probeName: &emptyGRPC{}}
			config.AllowedProtocols = []goplugin.Protocol{goplugin.ProtocolGRPC}
		}
	})
	if err != nil {
		return s, err
	}
	connection, err := s.Client.Client()
	if err != nil {
		return s, err
	}
	if err := connection.Ping(); err != nil {
		return s, err
	}
	if err := syscall.Kill(s.ReattachConfig().Pid, syscall.SIGKILL); err != nil {
		return s, err
	}
	_, err = s.log.WaitFor(ctx, "plugin process exited")
	return s, err
}

// emptyGRPC is a gRPC plugin without a service.
type emptyGRPC struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (*emptyGRPC) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error { return nil }

func (*emptyGRPC) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, nil // never dispensed
}

// playGRPCPlugin is a plugin with only go-plugin's own services.
func playGRPCPlugin(world, string) int {
	config := probeplugin.Serve(oneVersion())
	config.VersionedPlugins[1] = goplugin.PluginSet{probeName: &emptyGRPC{}}
	config.GRPCServer = goplugin.DefaultGRPCServer
	goplugin.Serve(config)
	return 0
}

// settledGoroutines counts the goroutines after their number has been stable for 300 ms, or
// after 3 s.
func settledGoroutines() int {
	last, since := runtime.NumGoroutine(), time.Now()
	poll(3*time.Second, func() bool {
		if now := runtime.NumGoroutine(); now != last {
			last, since = now, time.Now()
		}
		return time.Since(since) > 300*time.Millisecond
	})
	return last
}

// testF11Jackfield lets as many plugins of our host crash, and never closes them.
func testF11Jackfield(t *testing.T) {
	eachPlugin(t, func(t *testing.T, role string) {
		plugintest.NoLeaks(t) // goroutines, files and processes of this process
		w := newWorld(t)
		before := settledGoroutines()
		var subjects []*ourSubject
		for range pluginsF11 {
			s := w.launch(t, role, "")
			s.expectAlive(t)
			pid, err := strconv.Atoi(s.ID())
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			subjects = append(subjects, s)
		}
		for _, s := range subjects {
			<-s.Done()
			var exit *core.ExitError
			if !errors.As(s.Err(), &exit) {
				t.Errorf("got %v, expected a core.ExitError", s.Err())
			}
		}
		after := settledGoroutines()
		t.Logf("%d crashes: goroutines %d before, %d after; sockets %d", pluginsF11, before, after, len(w.sockets(t)))
		if after > before {
			t.Errorf("%d goroutines more than before", after-before)
		}
		w.expectGone(t)
	})
}
