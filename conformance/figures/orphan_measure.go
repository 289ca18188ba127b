package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"time"

	"github.com/jackfield-go/jackfield/conformance/figures/service"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// hostVariable makes this program a host to be killed, of the plugin at its value.
const hostVariable = "FIGURES_HOST_OF"

// measureOrphan measures the time from the kill of a host on Jackfield to the end of its plugin, on
// either library. Under a host on go-plugin a plugin stays.
func measureOrphan(b *bench) (_, _ []float64, err error) {
	once := func(plugin string) func() (float64, error) {
		return func() (float64, error) { return b.orphan(b.program(plugin)) }
	}
	return alternate(b.samples(100), once(ours), once(theirs))
}

// orphan kills a host. The host and its plugin have the writing end of a pipe as their standard
// input, so the pipe ends with both.
func (b *bench) orphan(plugin string) (_ float64, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer func() { _ = r.Close() }()
	killed := exec.CommandContext(b.ctx, self)
	killed.Env = append(os.Environ(), hostVariable+"="+plugin)
	killed.Stdin, killed.Stderr = w, os.Stderr
	stdout, err := killed.StdoutPipe()
	if err == nil {
		err = killed.Start()
	}
	_ = w.Close()
	if err != nil {
		return 0, err
	}
	defer func() { _ = killed.Wait() }()
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		return 0, fmt.Errorf("a host to be killed: %w", err)
	}
	began := time.Now()
	err = killed.Process.Kill()
	_, readErr := io.Copy(io.Discard, r)
	return milliseconds(time.Since(began)), errors.Join(err, readErr)
}

// beKilled launches the plugin at path, says so, and waits to be killed.
func beKilled(path string) error {
	command := host.Command(path)
	command.Inherit = host.InheritAllBut(hostVariable)
	command.Stdin = os.Stdin
	client := func(_ *netrpc.Broker, c *netrpc.Client) (*netrpc.Client, error) { return c, nil }
	_, err := host.Launch(context.Background(), host.Config{
		Handshake: core.Handshake{MagicCookieKey: service.CookieKey, MagicCookieValue: service.CookieValue},
		Versions:  core.Versions{1: {netrpc.New(netrpc.Carry(oursService, nil, client))}},
		Command:   command,
		Logger:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	fmt.Println("launched")
	select {}
}
