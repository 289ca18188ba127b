// Package runners runs plugins apart from their host: in a sandbox by bubblewrap, in a
// container by runc, and in a container by podman. Each function is a host.Config.Runner,
// or returns one:
//
//	cfg.Runner = runners.Bubblewrap
//
// A plugin there has no network, a read-only root, and of the host's files only its
// program and the private directory with the sockets. So everything between host and
// plugin works, lent services included. A program must be static where the container
// has nothing else: build it with CGO_ENABLED=0.
//
// The programs bwrap, runc and podman must be on the PATH. A plugin in the form of a
// script, or with files of its own, needs more than these functions put into its root.
package runners

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/runner"
)

// contained is a plugin behind a program that runs it apart. The process is that program:
// it passes the plugin's output and exit status, and signals where it can.
type contained struct {
	*runner.Process

	name      string
	socketDir string
	remove    func(context.Context) error // ends the plugin by force, and removes what was made for it
	removed   sync.Once
}

// Start starts the plugin. A failed start leaves nothing.
func (c *contained) Start(ctx context.Context) error {
	err := c.Process.Start(ctx)
	if err != nil {
		err = errors.Join(err, c.clear(ctx))
	}
	return err
}

// Wait returns how the plugin ended, with nothing left of its container.
func (c *contained) Wait(ctx context.Context) (runner.Exit, error) {
	exit, err := c.Process.Wait(ctx)
	if err == nil {
		_ = c.clear(context.WithoutCancel(ctx)) // the plugin has ended, and that is the answer
	}
	return exit, err
}

// Kill ends the plugin before the program around it: a container outlives its client.
func (c *contained) Kill(ctx context.Context) error {
	return errors.Join(c.clear(ctx), c.Process.Kill(ctx))
}

func (c *contained) clear(ctx context.Context) (err error) {
	c.removed.Do(func() {
		if c.remove != nil {
			err = c.remove(ctx)
		}
	})
	return err
}

// Name is the plugin's, not that of the program around it.
func (c *contained) Name() string { return c.name }

// PluginToHost keeps the host to sockets in the shared directory: the plugin must not
// have it connect to other services of the machine.
func (c *contained) PluginToHost(network, address string) (string, string, error) {
	if network == "unix" && filepath.Dir(filepath.Clean(address)) == filepath.Clean(c.socketDir) {
		return network, address, nil
	}
	return "", "", &core.AddressError{
		Network: network, Address: address,
		Reason: "a plugin that runs apart must listen in the directory that it shares with the host, " + c.socketDir,
	}
}

// program returns the absolute path of the plugin's program, as it is outside.
func program(cmd runner.Command) (string, error) {
	file, err := cmd.Open()
	if err != nil {
		return "", err
	}
	defer file.Close()
	return file.Name(), nil
}

// newID returns a name for a container that no other container has.
func newID() string { return "jackfield-" + strings.ToLower(rand.Text()) }

// control runs a command of a container's client to its end.
func control(ctx context.Context, name string, args ...string) error {
	if output, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, output)
	}
	return nil
}
