//go:build unix

// Package upgrade_test runs the server and replaces it under load.
package upgrade_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience limits what must not hang.
const patience = time.Minute

func build(t *testing.T, out, source string, flags ...string) {
	t.Helper()
	arguments := append(append([]string{"build", "-o", out}, flags...), source)
	if text, err := exec.CommandContext(t.Context(), "go", arguments...).CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", source, err, text)
	}
}

// answer is a server's answer in its parts.
type answer struct {
	guest, plugin, server int
	release               string
}

var answerForm = regexp.MustCompile(`^Hello, you, the guest (\d+)! \(plugin (\d+), release (\w+), server (\d+)\)\n$`)

func ask(ctx context.Context, address string) (answer, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return answer{}, err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if _, err := io.WriteString(conn, "you\n"); err != nil {
		return answer{}, err
	}
	text, err := io.ReadAll(conn)
	if err != nil {
		return answer{}, err
	}
	parts := answerForm.FindStringSubmatch(string(text))
	if parts == nil {
		return answer{}, fmt.Errorf("the answer is %q", text)
	}
	var numbers [3]int
	for i, part := range []string{parts[1], parts[2], parts[4]} {
		if numbers[i], err = strconv.Atoi(part); err != nil {
			return answer{}, err
		}
	}
	return answer{guest: numbers[0], plugin: numbers[1], server: numbers[2], release: parts[3]}, nil
}

// load asks without a pause, until it is stopped, which returns the first failure.
func load(ctx context.Context, address string) (stop func() (calls int, err error)) {
	ctx, cancel := context.WithCancel(ctx)
	var callers sync.WaitGroup
	var mu sync.Mutex
	var calls int
	var failure error
	for range 4 {
		callers.Go(func() {
			for ctx.Err() == nil {
				_, err := ask(context.WithoutCancel(ctx), address)
				mu.Lock()
				calls++
				if failure == nil {
					failure = err
				}
				mu.Unlock()
			}
		})
	}
	return func() (int, error) {
		cancel()
		callers.Wait()
		return calls, failure
	}
}

func TestServerIsReplacedWithoutAFailedCall(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	dir := t.TempDir()
	program, plugin := filepath.Join(dir, "server"), filepath.Join(dir, "plugin")
	build(t, plugin, "./plugin")
	build(t, program, "./server")
	for _, number := range []string{"2", "3"} {
		build(t, program+number, "./server", "-ldflags", "-X main.release="+number)
	}

	first := exec.CommandContext(ctx, program, plugin)
	first.Stderr = os.Stderr
	stdout, err := first.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimSpace(strings.TrimPrefix(line, "listening at "))
	before, err := ask(ctx, address)
	if err != nil {
		t.Fatal(err)
	}

	stop := load(ctx, address)
	now := before
	for _, number := range []string{"2", "3"} {
		if err := os.Rename(program+number, program); err != nil {
			t.Fatal(err)
		}
		now = replaced(ctx, t, address, now, number)
		t.Cleanup(func() { _ = syscall.Kill(now.server, syscall.SIGKILL) })
	}
	calls, failure := stop()
	if failure != nil {
		t.Errorf("a call failed: %v", failure)
	}
	if now.plugin != before.plugin || now.guest <= before.guest {
		t.Errorf("the plugin is %+v, and was %+v", now, before)
	}
	t.Logf("%d calls, none failed", calls)
	if err := first.Wait(); err != nil {
		t.Errorf("the first server: %v", err)
	}
	if err := syscall.Kill(now.server, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	awaitEnd(ctx, t, now.plugin)
	awaitEnd(ctx, t, now.server)
}

// replaced makes the server replace itself, and returns the first answer of the release.
func replaced(ctx context.Context, t *testing.T, address string, old answer, release string) answer {
	t.Helper()
	if err := syscall.Kill(old.server, syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for {
		now, err := ask(ctx, address)
		if err != nil {
			t.Fatal(err)
		}
		if now.release == release {
			return now
		}
	}
}

// awaitEnd waits for the end of a process that is no child.
func awaitEnd(ctx context.Context, t *testing.T, pid int) {
	t.Helper()
	for runs(pid) {
		if ctx.Err() != nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatalf("process %d still runs", pid)
		}
	}
}

// runs reports whether a process runs: whoever has to collect it may be slow.
func runs(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}
