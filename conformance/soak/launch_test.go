package soak

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackfield-go/jackfield/conformance/peers"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/examples/grpc/kv"
)

// launches returns the number of launches: in the short and the long form.
func launches() int64 {
	if os.Getenv(durationVariable) == "" {
		return 48
	}
	return 2000
}

// TestManyLaunches launches plugins, 8 at a time, and ends them in turns by a close, a kill, and a
// kill from outside.
func TestManyLaunches(t *testing.T) {
	plugintest.NoLeaks(t)
	dir := peers.ShortDir(t)
	var begun atomic.Int64
	var work sync.WaitGroup
	for range callers {
		work.Go(func() {
			for n := begun.Add(1); n <= launches() && !t.Failed(); n = begun.Add(1) {
				if err := launchOnce(t, dir, n); err != nil {
					t.Errorf("launch %d: %v", n, err)
				}
			}
		})
	}
	work.Wait()
	peers.ExpectEmpty(t, dir)
}

// launchOnce launches a plugin, calls it and ends it. The number decides on the kind of each.
func launchOnce(t *testing.T, dir string, n int64) error {
	protocol, tls := core.GRPC, host.MTLSRequired
	if n%2 == 0 {
		protocol = core.NetRPC
	}
	if n%4 < 2 {
		tls = host.MTLSOff
	}
	cfg := config(t, protocol, tls)
	cfg.Sockets.Dirs = []string{dir}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client, err := host.Launch(ctx, cfg)
	if err != nil {
		return err
	}
	return errors.Join(remember(ctx, client, strconv.FormatInt(n, 10)), end(ctx, client, n))
}

// remember puts a value into the store, and gets it.
func remember(ctx context.Context, client *host.Client, key string) error {
	store, err := host.Dispense(ctx, client, kv.Plugin)
	if err != nil {
		return err
	}
	if err := store.Put(ctx, key, []byte(value(key))); err != nil {
		return err
	}
	answer, err := store.Get(ctx, key)
	if err == nil && string(answer) != value(key) {
		err = fmt.Errorf("wrong answer %q for %q", answer, key)
	}
	return err
}

// end ends a plugin.
func end(ctx context.Context, client *host.Client, n int64) error {
	switch n % 3 {
	case 0:
		return client.Stop(ctx)
	case 1:
		return client.Kill(ctx)
	}
	if err := killProcess(client.ID()); err != nil {
		return err
	}
	select {
	case <-client.Done():
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	var exit *core.ExitError
	if err := client.Err(); !errors.As(err, &exit) {
		return fmt.Errorf("after a kill from outside: %w, expected a core.ExitError", err)
	}
	return client.Stop(ctx)
}
