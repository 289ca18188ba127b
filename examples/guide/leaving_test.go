package guide_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/examples/basic/greeter"
)

// hostVariable makes this binary a host that leaves without orphans.
const hostVariable = "GUIDE_HOST_LEAVES"

// hostMain is a main function. Only here the program calls os.Exit: that skips deferred functions.
func hostMain() {
	if err := runHost(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func runHost() error {
	// A signal ends the context. The plugins get a chance to leave.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()

	// A closed pipe on stdout becomes an error of the write. Without this line it kills the host.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)

	return host.With(ctx, hostConfig(), work)
}

func hostConfig() host.Config {
	path, _ := os.Executable()
	return host.Config{
		Handshake: greeter.Handshake,
		Versions:  greeter.Versions,
		Command:   host.Cmd{Path: path, Inherit: host.InheritAllBut(hostVariable)},
		AutoMTLS:  host.MTLSRequired,
	}
}

// work says which process the plugin is. Then it waits for a signal, or writes until its output is closed.
func work(ctx context.Context, client *host.Client) error {
	if _, err := fmt.Println(client.ID()); err != nil {
		return err
	}
	if os.Getenv(hostVariable) == "panic" {
		panic("a fault in the host")
	}
	for os.Getenv(hostVariable) == "write" {
		if _, err := fmt.Println("more"); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}

func TestHostLeavesNoOrphan(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("only where signals are")
	}
	for name, tc := range map[string]struct {
		role string
		end  func(host *os.Process, stdout io.Closer) error
		code int
	}{
		"SIGTERM":       {"wait", func(host *os.Process, _ io.Closer) error { return host.Signal(syscall.SIGTERM) }, 0},
		"SIGINT":        {"wait", func(host *os.Process, _ io.Closer) error { return host.Signal(os.Interrupt) }, 0},
		"a closed pipe": {"write", func(_ *os.Process, stdout io.Closer) error { return stdout.Close() }, 1},
		"a panic":       {"panic", func(*os.Process, io.Closer) error { return nil }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), hostVariable+"="+tc.role)
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(stdout).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			plugin, err := strconv.Atoi(strings.TrimSpace(line))
			if err != nil {
				t.Fatal(err)
			}
			if err := tc.end(cmd.Process, stdout); err != nil {
				t.Fatal(err)
			}
			var exit *exec.ExitError
			if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			if code := cmd.ProcessState.ExitCode(); code != tc.code {
				t.Errorf("the host ended with %v, want exit status %d", cmd.ProcessState, tc.code)
			}
			if left, err := os.FindProcess(plugin); err == nil && !errors.Is(left.Signal(syscall.Signal(0)), os.ErrProcessDone) {
				t.Error("the plugin is still there")
			}
		})
	}
}
