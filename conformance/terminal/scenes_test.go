//go:build linux || darwin

package terminal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
)

// scenes are what a host does beside letting its plugin act.
var scenes = map[string]func(ctx context.Context, o *operator){
	// The host reads itself: the terminal is its own again.
	"host line": func(context.Context, *operator) {
		fmt.Print("Host: ")
		line, err := readLine(os.Stdin)
		reportf("host line: %q, %v", line, err)
	},
	"nested": func(ctx context.Context, o *operator) {
		err := o.client.WithTerminal(ctx, func(ctx context.Context) error {
			return o.client.WithTerminal(ctx, func(context.Context) error { return errors.New("lent twice") })
		})
		reportf("nested: %t, %s", errors.Is(err, host.ErrTerminalInUse), oneLine(err))
	},
	"refused": func(ctx context.Context, o *operator) {
		err := o.client.WithTerminal(ctx, func(context.Context) error { return errors.New("lent") })
		reportf("refused: %t, %s", errors.Is(err, host.ErrNoTerminal), oneLine(err))
	},
	"panic": func(ctx context.Context, o *operator) {
		func() {
			defer func() { reportf("panic: %v", recover()) }()
			_ = o.client.WithTerminal(ctx, func(context.Context) error { panic("on purpose") })
		}()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = o.client.WithTerminal(ctx, func(context.Context) error { runtime.Goexit(); return nil })
		}()
		<-ended
		reportf("goexit: %s", state())
	},
	"killed": func(ctx context.Context, o *operator) {
		err := o.client.WithTerminal(ctx, func(ctx context.Context) error {
			if err := o.client.Kill(context.WithoutCancel(ctx)); err != nil {
				return err
			}
			<-ctx.Done() // nothing else ends f
			return context.Cause(ctx)
		})
		reportf("killed: %t, %s", errors.Is(err, core.ErrClosed), oneLine(err))
		err = o.client.WithTerminal(ctx, func(context.Context) error { return errors.New("lent") })
		reportf("again: %t, %s", errors.Is(err, core.ErrClosed), oneLine(err))
	},
	// The plugin ends with the terminal: the host still has it when the call has failed.
	"crashed": func(ctx context.Context, o *operator) {
		var ended error
		err := o.client.WithTerminal(ctx, func(ctx context.Context) error {
			_, err := o.greet(ctx, "crash in raw mode")
			<-ctx.Done()
			ended = context.Cause(ctx)
			return err
		})
		var exit *core.ExitError
		reportf("crashed: %t, %t", err != nil, errors.As(ended, &exit))
	},
	// Ctrl-Z comes at the moment when f ends.
	"stopped at the end": func(ctx context.Context, o *operator) {
		plugin, err := strconv.Atoi(o.client.ID())
		if err != nil {
			reportf("stopped at the end: %v", err)
			return
		}
		for range 5 {
			err = errors.Join(err, o.client.WithTerminal(ctx, func(context.Context) error {
				return syscall.Kill(-plugin, syscall.SIGSTOP)
			}))
			ctx, cancel := context.WithTimeout(ctx, patience/2)
			_, failure := o.greet(ctx, "size")
			cancel()
			if err = errors.Join(err, failure); err != nil {
				break
			}
		}
		reportf("stopped at the end: %s", oneLine(err))
	},
	// A host in the background has nothing to lend.
	"background": func(ctx context.Context, o *operator) {
		other := exec.Command("sleep", "1000")
		other.SysProcAttr = &syscall.SysProcAttr{Foreground: true, Ctty: 0}
		if err := other.Start(); err != nil {
			reportf("background: %v", err)
			return
		}
		err := o.client.WithTerminal(ctx, func(context.Context) error { return errors.New("lent") })
		reportf("background: %t, %s", errors.Is(err, host.ErrTerminalInUse), oneLine(err))
		_ = other.Process.Kill()
		_ = other.Wait()
	},
}
