//go:build linux || darwin

package terminal

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/examples/basic/greeter"
	"github.com/jackfield-go/jackfield/examples/hello"
	hellov1 "github.com/jackfield-go/jackfield/examples/proto/hello/v1"
)

// The ways in which a plugin gets the terminal.
const (
	asStdin    = "as stdin"
	sameGroup  = "lent to the host's group"
	ownGroup   = "lent to a group of its own"
	ownSession = "not lent to a session of its own"
)

// operator is a host at the terminal.
type operator struct {
	client *host.Client
	manner string
	greet  func(ctx context.Context, action string) (string, error)
}

// playHost launches the plugin and lets it act: os.Args are the transport, the manner, and actions
// or scenes.
func playHost() error {
	syscall.CloseOnExec(reportFD)
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	o := &operator{manner: os.Args[2]}
	ctx := context.Background()
	if err := o.launch(ctx, os.Args[1]); err != nil {
		return err
	}
	for _, name := range os.Args[3:] {
		if scene, ok := scenes[name]; ok {
			scene(ctx, o)
			continue
		}
		answer, err := o.act(ctx, name)
		reportf("%s: %q, %s", name, answer, oneLine(err))
	}
	reportf("afterwards %s", state())
	reportf("closed: %v", o.client.Close())
	select {
	case <-interrupts:
		reportf("interrupted: true")
	default:
		reportf("interrupted: false")
	}
	return nil
}

func (o *operator) launch(ctx context.Context, transport string) (err error) {
	cfg := host.Config{Name: "actor", Command: host.Command(os.Args[0]), Logger: slog.New(slog.DiscardHandler)}
	cfg.Command.Env = []string{roleVariable + "=plugin"}
	switch o.manner {
	case asStdin:
		cfg.Command.Stdin = os.Stdin
	case ownGroup:
		cfg.Command.Group = true
	case ownSession:
		cfg.Command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	}
	if transport == "grpc" {
		cfg.Handshake, cfg.Versions = hello.Handshake, hello.Versions
	} else {
		cfg.Handshake, cfg.Versions = greeter.Handshake, greeter.Versions
	}
	if o.client, err = host.Launch(ctx, cfg); err != nil {
		return err
	}
	if transport == "grpc" {
		client, err := host.Dispense(ctx, o.client, hello.Plugin)
		if err != nil {
			return err
		}
		o.greet = func(ctx context.Context, action string) (string, error) {
			resp, err := client.Greet(ctx, &hellov1.GreetRequest{Name: action})
			return resp.GetText(), err
		}
		return nil
	}
	client, err := host.Dispense(ctx, o.client, greeter.Plugin)
	if err == nil {
		o.greet = client.Greet
	}
	return err
}

// act lets the plugin act, with the terminal.
func (o *operator) act(ctx context.Context, action string) (answer string, err error) {
	if o.manner == asStdin {
		return o.greet(ctx, action)
	}
	err = o.client.WithTerminal(ctx, func(ctx context.Context) error {
		var err error
		answer, err = o.greet(ctx, action)
		return err
	})
	return answer, err
}

// state is the terminal's: whether this process has it, and whether it shows typed characters.
func state() string {
	group, err := unix.IoctlGetInt(0, unix.TIOCGPGRP)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("foreground: %t, echo: %t", group == unix.Getpgrp(), echoes(0))
}

func echoes(fd int) bool {
	modes, err := unix.IoctlGetTermios(fd, getModes)
	return err == nil && modes.Lflag&unix.ECHO != 0
}

// oneLine is an error's text in one line.
func oneLine(err error) string { return strings.Join(strings.Fields(fmt.Sprint(err)), " ") }
