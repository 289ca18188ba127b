//go:build unix

package host_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugintest"
)

// pid is the process behind a client.
func pid(t *testing.T, client *host.Client) int {
	t.Helper()
	number, err := strconv.Atoi(client.ID())
	if err != nil {
		t.Fatal(err)
	}
	return number
}

func gone(number int) bool {
	return errors.Is(syscall.Kill(number, 0), syscall.ESRCH)
}

func TestStoppedProcessDelaysNobody(t *testing.T) { // F7
	plugintest.NoLeaks(t)
	cfg := config(t, "serve", "")
	cfg.Timeouts.Stop = 100 * time.Millisecond
	client := launch(t, cfg)
	number := pid(t, client)
	if err := syscall.Kill(number, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var status syscall.WaitStatus // it stops some time after the signal was sent
	if _, err := syscall.Wait4(number, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("status %v, %v", status, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := client.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ping: %v", err)
	}
	begin := time.Now()
	var stop *host.StopError
	if err := client.Close(); !errors.As(err, &stop) {
		t.Errorf("close: %v", err)
	}
	if took := time.Since(begin); took > cfg.Timeouts.Stop+host.DefaultKillTimeout {
		t.Errorf("close took %v", took)
	}
	if !gone(number) {
		t.Error("the process is still there")
	}
}

func TestGrandchildWithStderrDelaysNobody(t *testing.T) { // F9
	for name, end := range map[string]func(*testing.T, *host.Client){
		"orderly end": func(t *testing.T, client *host.Client) {
			if err := client.Close(); err != nil {
				t.Error(err)
			}
		},
		"crash": func(t *testing.T, client *host.Client) {
			if err := syscall.Kill(pid(t, client), syscall.SIGKILL); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := launch(t, config(t, "serve", ""))
			grandchild, err := strconv.Atoi(call(t, client, "spawn", ""))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = syscall.Kill(grandchild, syscall.SIGKILL) }()
			end(t, client)
			select {
			case <-client.Done():
			case <-within(t).Done():
				t.Fatal("the client waits for the grandchild")
			}
			if gone(grandchild) {
				t.Error("the grandchild was to be alive")
			}
		})
	}
}

func TestGrandchildrenInAGroupEndWithThePlugin(t *testing.T) {
	for name, end := range map[string]func(*host.Client) error{
		"orderly end": func(client *host.Client) error { return client.Close() },
		"kill":        func(client *host.Client) error { return client.Kill(within(t)) },
		"crash":       func(client *host.Client) error { return syscall.Kill(pid(t, client), syscall.SIGKILL) },
	} {
		t.Run(name, func(t *testing.T) {
			plugintest.NoLeaks(t)
			cfg := config(t, "serve", "")
			cfg.Command.Group = true
			client := launch(t, cfg)
			if group, err := syscall.Getpgid(pid(t, client)); err != nil || group != pid(t, client) {
				t.Errorf("the plugin's group is %d, %v", group, err)
			}
			path := filepath.Join(shortDir(t), "witness")
			witness := makeWitness(t, path)
			call(t, client, "spawn heedless", path)
			if err := end(client); err != nil {
				t.Error(err)
			}
			<-client.Done()
			awaitEnd(t, witness)
		})
	}
}

func TestPluginsEndFromManyGoroutines(t *testing.T) {
	plugintest.NoLeaks(t)
	cfg := config(t, "stubborn", "")
	cfg.Command.Group = true
	cfg.Timeouts.Stop, cfg.Timeouts.Terminate = time.Millisecond, time.Millisecond
	for range 5 {
		client := launch(t, cfg)
		var enders sync.WaitGroup
		for range 4 {
			enders.Go(func() { _ = client.Close() })
			enders.Go(func() { _ = client.Stop(within(t)) })
			enders.Go(func() {
				if err := client.Kill(within(t)); err != nil {
					t.Error(err)
				}
			})
		}
		enders.Wait()
		<-client.Done()
	}
}

func TestExitErrorNamesTheSignal(t *testing.T) {
	client := launch(t, config(t, "serve", ""))
	if err := syscall.Kill(pid(t, client), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-client.Done()
	var exit *core.ExitError
	if !errors.As(client.Err(), &exit) || exit.Code != -1 || !strings.Contains(exit.Status, "signal 9") {
		t.Errorf("got %v", client.Err())
	}
}

func TestSIGTERMEndsAPluginInOrder(t *testing.T) {
	client := launch(t, config(t, "serve", ""))
	if err := syscall.Kill(pid(t, client), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-client.Done()
	var exit *core.ExitError
	if !errors.As(client.Err(), &exit) || exit.Code != 0 {
		t.Errorf("got %v", client.Err())
	}
}

func TestSocketsPassOverALongTemporaryDirectory(t *testing.T) { // F19
	long := filepath.Join(t.TempDir(), strings.Repeat("long", 40))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", long)
	if got := call(t, launch(t, config(t, "serve", "")), "echo", "hello"); got != "hello" {
		t.Errorf("got %q", got)
	}
}

func TestSocketDirectoryIsPrivate(t *testing.T) {
	dirs := shortDir(t)
	cfg := config(t, "serve", "")
	cfg.Sockets.Dirs = []string{dirs}
	client := launch(t, cfg)
	made, err := os.ReadDir(dirs)
	if err != nil || len(made) != 1 {
		t.Fatalf("%v, %v", made, err)
	}
	info, err := made[0].Info()
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	empty(t, dirs)
}
