package host_test

import (
	"reflect"
	"strconv"
	"sync"
	"testing"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/plugintest"
)

func TestConfigServesConcurrentLaunchesUnchanged(t *testing.T) {
	plugintest.NoLeaks(t)
	dirs := shortDir(t)
	cfg := config(t, "serve", "")
	cfg.Command.Env = append(make([]string, 0, 100), cfg.Command.Env...) // room that an append could write to
	cfg.Command.Args = append(make([]string, 0, 10), "one", "two")
	cfg.Sockets.Dirs = []string{dirs}
	before := cfg
	env, args := clone(cfg.Command.Env), clone(cfg.Command.Args)

	var launches sync.WaitGroup
	ids := make([]string, 20)
	for i := range ids {
		launches.Go(func() {
			client, err := host.Launch(within(t), cfg)
			if err != nil {
				t.Error(err)
				return
			}
			defer client.Close()
			ids[i] = client.ID()
			want := strconv.Itoa(i)
			if got, err := tryCall(within(t), client, "echo", want); err != nil || got != want {
				t.Errorf("launch %d: %q, %v", i, got, err)
			}
			if v := client.NegotiatedVersion(); v != 1 { // F21
				t.Errorf("version %d", v)
			}
		})
	}
	launches.Wait()
	seen := make(map[string]bool)
	for _, id := range ids {
		if id == "" || seen[id] {
			t.Errorf("the ID %q twice", id)
		}
		seen[id] = true
	}
	if !reflect.DeepEqual(cfg, before) || //nolint:govet // no errors are compared
		!reflect.DeepEqual(clone(cfg.Command.Env), env) || !reflect.DeepEqual(clone(cfg.Command.Args), args) {
		t.Error("the configuration was changed")
	}
	empty(t, dirs)
}

// clone copies a slice with what lies behind its length.
func clone(list []string) []string {
	return append([]string(nil), list[:cap(list)]...)
}

func TestNegotiationTakesTheHighestCommonVersion(t *testing.T) {
	cfg := config(t, "versions", "1,3,4,9")
	cfg.Versions = faketransport.Versions(new(faketransport.Transport), 2, 3, 4, 5)
	client := launch(t, cfg)
	if client.NegotiatedVersion() != 4 || client.Protocol() != faketransport.Protocol || client.Name() != "tester" {
		t.Errorf("version %d, protocol %s, name %s", client.NegotiatedVersion(), client.Protocol(), client.Name())
	}
}
