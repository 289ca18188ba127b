package guide_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/examples/basic/greeter"
)

// reattachFile is the file of the shared directory with the plugin's data.
const reattachFile = "greeter.json"

// serveBeside serves in a container beside the host's, until ctx ends. TMPDIR is in the
// directory that both share, so the sockets are there too.
func serveBeside(ctx context.Context, shared string, cfg plugin.Config) error {
	var failed error
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := plugin.ServeDebug(ctx, cfg, func(data handshake.Reattach) {
		data.ID, data.Started = "", "" // a process number means nothing in another container
		if failed = publish(filepath.Join(shared, reattachFile), data); failed != nil {
			cancel()
		}
	})
	return errors.Join(failed, err)
}

// publish writes the data at once: a host never reads half of it.
func publish(path string, data handshake.Reattach) error {
	text, err := handshake.FormatReattach(map[string]handshake.Reattach{greeter.Plugin.Name(): data})
	if err == nil {
		err = os.WriteFile(path+".new", []byte(text), 0o600)
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	return err
}

// attachBeside attaches to the plugin, and waits for it: containers of a pod start in any order.
func attachBeside(ctx context.Context, shared string, cfg host.Config) (*host.Client, error) {
	for {
		client, err := attachNow(ctx, filepath.Join(shared, reattachFile), cfg)
		if err == nil {
			return client, nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), err)
		}
	}
}

func attachNow(ctx context.Context, path string, cfg host.Config) (*host.Client, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	plugins, err := handshake.ParseReattach(string(text))
	if err != nil {
		return nil, err
	}
	data, ok := plugins[greeter.Plugin.Name()]
	if !ok {
		return nil, fmt.Errorf("%s: there is no plugin %s in it", path, greeter.Plugin.Name())
	}
	return host.Attach(ctx, cfg, data)
}

var discard = slog.New(slog.DiscardHandler)

func TestPluginBesideTheHostIsAttachedTo(t *testing.T) {
	shared := t.TempDir()
	t.Setenv("TMPDIR", shared)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()

	attached := make(chan error, 1)
	go func() { attached <- greetBeside(ctx, shared) }() // before there is a plugin
	life, end := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() {
		served <- serveBeside(life, shared, plugin.Config{
			Handshake:  greeter.Handshake,
			Versions:   greeter.Versions,
			Implements: greeter.Plugin.Bind(polite{discard}),
		})
	}()
	if err := <-attached; err != nil {
		t.Error(err)
	}
	if err := greetBeside(ctx, shared); err != nil { // the first host's close has not ended the plugin
		t.Error(err)
	}
	end()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if left, err := filepath.Glob(filepath.Join(shared, "*", "*")); err != nil || len(left) > 0 {
		t.Errorf("the plugin has left %v, %v", left, err)
	}
}

func greetBeside(ctx context.Context, shared string) error {
	client, err := attachBeside(ctx, shared, host.Config{Handshake: greeter.Handshake, Versions: greeter.Versions, Logger: discard})
	if err != nil {
		return err
	}
	g, err := host.Dispense(ctx, client, greeter.Plugin)
	if err == nil {
		_, err = g.Greet(ctx, "Ada")
	}
	return errors.Join(err, client.Close())
}

func TestPluginBesideTheHostNeedsItsDirectory(t *testing.T) {
	err := serveBeside(t.Context(), filepath.Join(t.TempDir(), "missing"), plugin.Config{
		Handshake:  greeter.Handshake,
		Versions:   greeter.Versions,
		Implements: greeter.Plugin.Bind(polite{discard}),
		Logger:     discard,
	})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
}
