//go:build linux

package runners_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/core/runner"
	"github.com/jackfield-go/jackfield/examples/bidirectional/counter"
	"github.com/jackfield-go/jackfield/examples/runners"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

type makeRunner = func(runner.Command) (runner.Runner, error)

func TestBubblewrap(t *testing.T) {
	works(t, "bwrap", "--unshare-all", "--ro-bind", "/", "/", "true")
	exercise(t, runners.Bubblewrap)
}

func TestRunc(t *testing.T) {
	works(t, "runc", "--version")
	exercise(t, runners.Runc)
}

func TestPodman(t *testing.T) {
	configurePodman(t)
	works(t, "podman", "run", "--rm", "--network=none", "--volume=/usr:/usr:ro", "--volume=/lib:/lib:ro", "--volume=/lib64:/lib64:ro",
		"--rootfs", t.TempDir(), "/usr/bin/true")
	exercise(t, runners.Podman("--memory-swappiness=-1"))
}

// TestPodmanWithoutRoot runs TestPodman again, as a user of the machine with IDs for containers.
func TestPodmanWithoutRoot(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only as root, who may become another user: TestPodman is without root")
	}
	if _, err := exec.LookPath("podman"); err != nil {
		t.Skip("needs: podman on the PATH")
	}
	u, ids := containerUser(t)
	dir, err := os.MkdirTemp("/tmp", "jackfield-rootless-") //nolint:usetesting // a directory of the test is for this user alone
	if err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(dir, "home")
	t.Cleanup(func() {
		// Files there may belong to IDs of the user's containers.
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	binary := filepath.Join(dir, "runners.test")
	copyFile(t, os.Args[0], binary)
	for _, err := range []error{
		os.Mkdir(home, 0o700), os.Chown(home, int(ids.Uid), int(ids.Gid)), os.Chmod(dir, 0o755), os.Chmod(binary, 0o755),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	programs := filepath.Join(dir, "programs")
	for _, name := range []string{counterPlugin, probePlugin} {
		build(t, programs, name)
	}
	cmd := exec.CommandContext(t.Context(), binary, "-test.run=^TestPodman$", "-test.v")
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_RUNTIME_DIR="+home, "TMPDIR="+home, "USER="+u, programsVariable+"="+programs)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: ids}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
	if _, reason, skipped := strings.Cut(string(out), "--- SKIP"); skipped {
		t.Skip("only where podman runs without root: " + reason)
	}
}

// works skips the test if a program is missing, or the kernel does not let it work.
func works(t *testing.T, name string, args ...string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("needs: %s on the PATH", name)
	}
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Skipf("only where %s works: %v: %s", name, err, out)
	}
}

// configurePodman makes podman work inside containers too: with runc, without systemd,
// and with limits that a container may set.
func configurePodman(t *testing.T) {
	t.Helper()
	conf := filepath.Join(t.TempDir(), "containers.conf")
	const text = "[engine]\nruntime = \"runc\"\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"none\"\n" +
		"[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1000:1000\"]\n"
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CONTAINERS_CONF", conf)
}

// exercise shows the use and the isolation of a plugin that runs apart.
func exercise(t *testing.T, run makeRunner) {
	t.Run("calls and callbacks work", func(t *testing.T) { callsBack(t, run) })
	t.Run("nothing else is within reach", func(t *testing.T) { isApart(t, run) })
	t.Run("a killed plugin leaves nothing", func(t *testing.T) { isKilled(t, run) })
	t.Run("a missing program is named", func(t *testing.T) {
		_, err := host.Launch(t.Context(), counterConfig(filepath.Join(t.TempDir(), "missing"), run))
		if failed := (*runner.StartError)(nil); !errors.As(err, &failed) {
			t.Errorf("got %v, want a StartError", err)
		}
	})
}

func counterConfig(path string, run makeRunner) host.Config {
	return host.Config{
		Handshake: counter.Handshake,
		Versions:  counter.Versions(),
		Command:   host.Command(path),
		AutoMTLS:  host.MTLSRequired,
		Runner:    run,
		Logger:    slog.New(slog.DiscardHandler),
	}
}

type adder struct{}

func (adder) Sum(_ context.Context, a, b int64) (int64, error) { return a + b, nil }

func callsBack(t *testing.T, run makeRunner) {
	plugintest.NoLeaks(t)
	err := host.With(t.Context(), counterConfig(program(t, counterPlugin), run), func(ctx context.Context, client *host.Client) error {
		c, err := host.Dispense(ctx, client, counter.Plugin)
		if err != nil {
			return err
		}
		if sum, err := c.Add(ctx, "apples", 2, adder{}); err != nil || sum != 2 {
			return fmt.Errorf("got %d apples, %w", sum, err)
		}
		if words, err := c.CountWords(ctx, strings.NewReader("read by the plugin")); err != nil || words != 4 {
			return fmt.Errorf("got %d words, %w", words, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func openProbe(t *testing.T, run makeRunner) (*host.Client, *netrpc.Client) {
	t.Helper()
	probe := core.DefineSides[struct{}, *netrpc.Client]("probe")
	client := func(_ *netrpc.Broker, c *netrpc.Client) (*netrpc.Client, error) { return c, nil }
	plugin, err := host.Launch(t.Context(), host.Config{
		Handshake: core.Handshake{MagicCookieKey: "JACKFIELD_RUNNERS_PROBE", MagicCookieValue: "f00d"},
		Versions:  core.Versions{1: {netrpc.New(netrpc.Carry(probe, nil, client))}},
		Command:   host.Command(program(t, probePlugin)),
		Runner:    run,
		Logger:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plugin.Kill(context.Background()) })
	c, err := host.Dispense(t.Context(), plugin, probe)
	if err != nil {
		t.Fatal(err)
	}
	return plugin, c
}

func isApart(t *testing.T, run makeRunner) {
	plugintest.NoLeaks(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	plugin, probe := openProbe(t, run)
	var interfaces int
	if err := probe.Call(t.Context(), "Interfaces", struct{}{}, &interfaces); err != nil || interfaces != 0 {
		t.Errorf("%d network interfaces, %v", interfaces, err)
	}
	var failure string
	if err := probe.Call(t.Context(), "Write", "/written", &failure); err != nil || !strings.Contains(failure, "read-only") {
		t.Errorf("writing into the root: %q, %v", failure, err)
	}
	for _, path := range []string{secret, "/etc/passwd", "/root"} {
		var yes bool
		if err := probe.Call(t.Context(), "Exists", path, &yes); err != nil || yes {
			t.Errorf("%s is visible: %t, %v", path, yes, err)
		}
	}
	if err := plugin.Close(); err != nil {
		t.Error(err)
	}
}

// isKilled kills a plugin with a child of its own.
func isKilled(t *testing.T, run makeRunner) {
	plugintest.NoLeaks(t)
	plugin, probe := openProbe(t, run)
	if err := probe.Call(t.Context(), "Spawn", struct{}{}, new(struct{})); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := plugin.Kill(ctx); err != nil {
		t.Error(err)
	}
	for ctx.Err() == nil && len(processesOf(t, program(t, probePlugin))) > 0 {
		time.Sleep(10 * time.Millisecond) // the kernel ends a namespace's processes on its own
	}
	if left := processesOf(t, program(t, probePlugin)); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
}

// processesOf returns the processes that run the file, in whatever namespace.
func processesOf(t *testing.T, path string) (pids []int) {
	t.Helper()
	program, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if exe, err := os.Stat(filepath.Join("/proc", entry.Name(), "exe")); err == nil && os.SameFile(exe, program) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// programsVariable names the environment variable with the directory of built plugins.
const programsVariable = "JACKFIELD_TEST_RUNNERS_PROGRAMS"

// These are the plugins' packages.
const (
	counterPlugin = "../bidirectional/plugin"
	probePlugin   = "./testdata/probe"
)

var built = struct{ dir string }{}

func TestMain(m *testing.M) { os.Exit(inDirectory(m.Run)) }

// inDirectory runs the tests with a directory for the plugins, which containers of other users see too.
func inDirectory(run func() int) int {
	if built.dir = os.Getenv(programsVariable); built.dir != "" {
		return run()
	}
	dir, err := os.MkdirTemp("", "jackfield-runners-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		panic(err)
	}
	built.dir = dir
	return run()
}

// program returns the path of a plugin, built at its first use.
func program(t *testing.T, pkg string) string {
	t.Helper()
	path := filepath.Join(built.dir, filepath.Base(pkg))
	if _, err := os.Stat(path); err != nil {
		build(t, built.dir, pkg)
	}
	return path
}

// build builds a static plugin.
func build(t *testing.T, dir, pkg string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, filepath.Base(pkg)), pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
}

// containerUser returns a user with subordinate IDs, as podman needs them without root.
func containerUser(t *testing.T) (string, *syscall.Credential) {
	t.Helper()
	table, _ := os.ReadFile("/etc/subuid")
	for line := range strings.Lines(string(table)) {
		name, _, _ := strings.Cut(line, ":")
		u, err := user.Lookup(name)
		if err != nil || u.Uid == "0" {
			continue
		}
		uid, errU := strconv.ParseUint(u.Uid, 10, 32)
		gid, errG := strconv.ParseUint(u.Gid, 10, 32)
		if errU == nil && errG == nil {
			return name, &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	t.Skip("only where a user other than root has a line in /etc/subuid")
	return "", nil
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}
