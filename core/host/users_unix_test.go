//go:build unix

package host_test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/runner"
)

// A user who is neither root nor the one of the test, and one who has no business
// anywhere.
const (
	pluginUser = 65534
	stranger   = 65533
)

// asUser makes the program in cfg run as another user, or skips the test.
func asUser(t *testing.T, cfg host.Config, uid, gid uint32) host.Config {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only as root: nobody else may start a process as another user")
	}
	t.Setenv("TMPDIR", "") // the directory is chosen among those that everybody can enter
	t.Setenv("XDG_RUNTIME_DIR", shortDir(t))
	cfg.Command.Path = copyForAll(t, cfg.Command.Path)
	cfg.Command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid}}
	cfg.Command.Dir = "/"
	return cfg
}

// openDir is a directory for sockets that everybody can enter.
func openDir(t *testing.T) string {
	t.Helper()
	dir := shortDir(t)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// sockets lists those of the one plugin in base.
func sockets(t *testing.T, base string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(base, "*", "[hp]*"))
	if err != nil || len(found) == 0 {
		t.Fatalf("the sockets are %q, %v", found, err)
	}
	return found
}

func TestSysProcAttrUserGetsTheSocketDirectory(t *testing.T) {
	cfg := asUser(t, config(t, "serve", ""), pluginUser, pluginUser)
	base := openDir(t)
	cfg.Sockets.Dirs = []string{base}
	_, link := launchBoth(t, cfg)
	listener, err := link.Listen(within(t))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for _, path := range append(sockets(t, base), filepath.Dir(sockets(t, base)[0])) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); !ok || stat.Uid != pluginUser {
			t.Errorf("%s belongs to user %d", path, stat.Uid)
		}
		if info.IsDir() && info.Mode().Perm() != 0o700 {
			t.Errorf("%s: mode %v", path, info.Mode())
		}
	}
}

// A private directory for temporary files is that of many users, root among them.
func TestSocketDirectoryIsReachableForAnotherUser(t *testing.T) {
	cfg := asUser(t, config(t, "serve", ""), pluginUser, pluginUser)
	t.Setenv("TMPDIR", shortDir(t))
	if got := call(t, launch(t, cfg), "echo", "hello"); got != "hello" {
		t.Errorf("got %q", got)
	}
}

// The host does not know of a wrapper that changes the user.
func TestPluginOfAnotherUserNamesTheSetting(t *testing.T) {
	cfg := asUser(t, config(t, "serve", ""), pluginUser, pluginUser)
	hidden := cfg.Command.SysProcAttr
	cfg.Command.SysProcAttr = nil
	cfg.Sockets.Dirs = []string{openDir(t)}
	cfg.Runner = func(cmd runner.Command) (runner.Runner, error) {
		cmd.SysProcAttr = hidden
		return runner.NewProcess(cmd), nil
	}
	mention(t, fail(t, within(t), cfg), "runs as the user "+strconv.Itoa(pluginUser), "Config.Sockets.User")
	cfg.Sockets.User = strconv.Itoa(pluginUser)
	if got := call(t, launch(t, cfg), "echo", "hello"); got != "hello" {
		t.Errorf("got %q", got)
	}
}

func TestUserNamespacePluginGetsTheSocketDirectory(t *testing.T) {
	cfg := asUser(t, config(t, "serve", ""), 0, 0)
	if !inUserNamespace(cfg.Command.SysProcAttr, pluginUser) {
		t.Skip("only on Linux: there are no user namespaces elsewhere")
	}
	cfg.Sockets.Dirs = []string{openDir(t)}
	probe := exec.CommandContext(t.Context(), "/bin/true")
	probe.SysProcAttr = cfg.Command.SysProcAttr
	if err := probe.Run(); err != nil {
		t.Skip("needs: user namespaces: ", err)
	}
	if got := call(t, launch(t, cfg), "echo", "hello"); got != "hello" {
		t.Errorf("got %q", got)
	}
}

// The stranger finds everything wide open, and is refused nevertheless: by the
// plugin and by the host.
func TestAnotherUserIsRefusedAtSocketsThatAreWideOpen(t *testing.T) {
	for name, uid := range map[string]uint32{"plugin of this user": 0, "plugin of another user": pluginUser} {
		t.Run(name, func(t *testing.T) {
			cfg := asUser(t, config(t, "serve", ""), uid, uid)
			base := openDir(t)
			cfg.Sockets.Dirs = []string{base}
			logged := newRecords()
			cfg.Logger = logged.logger()
			client, link := launchBoth(t, cfg)
			listener, err := link.Listen(within(t))
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			go func() { _, _ = listener.Accept() }()

			paths := sockets(t, base)
			if len(paths) != 2 {
				t.Fatalf("the sockets are %q", paths)
			}
			for _, path := range append(paths, filepath.Dir(paths[0])) {
				if err := os.Chmod(path, 0o777); err != nil {
					t.Fatal(err)
				}
			}
			for _, path := range paths {
				if got := visit(t, cfg, path); got != "closed" {
					t.Errorf("the stranger at %s: %s", path, got)
				}
			}
			if got := call(t, client, "echo", "still there"); got != "still there" {
				t.Errorf("got %q", got)
			}
			for _, text := range []string{"a connection to the host was refused", "a connection to the plugin was refused"} {
				logged.await(t, text)
			}
		})
	}
}

// The host does not talk to a socket put by another user in the plugin's place.
func TestHostRefusesOtherUsersAtItsSockets(t *testing.T) {
	cfg := asUser(t, config(t, "substitute", ""), 0, 0)
	base := openDir(t)
	cfg.Command.Env = append(cfg.Command.Env, argumentVariable+"="+base)
	if err := os.Chmod(base, 0o777); err != nil {
		t.Fatal(err)
	}
	cfg.Sockets.Dirs = []string{shortDir(t)}
	failure := fail(t, within(t), cfg)
	var refused *core.PeerError
	if failure.Stage != host.StageConnect || !errors.As(failure, &refused) || refused.UID != stranger {
		t.Errorf("stage %s, %v", failure.Stage, failure)
	}

	cfg.Sockets.User = strconv.Itoa(stranger)
	if failure := fail(t, within(t), cfg); errors.As(failure, &refused) {
		t.Errorf("the configured user: %v", failure)
	}
}

// visit connects to path as the stranger, and returns how it went.
func visit(t *testing.T, cfg host.Config, path string) string {
	t.Helper()
	cmd := exec.CommandContext(within(t), cfg.Command.Path)
	cmd.Env = append(os.Environ(), roleVariable+"=stranger", argumentVariable+"="+path, "GORACE=atexit_sleep_ms=0")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stranger, Gid: stranger}}
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("the stranger: %v\n%s", err, said)
	}
	return string(said)
}

// killHost kills a host, which is in a role, and returns the PID of its plugin.
func killHost(t *testing.T, role, base string) (plugin int) {
	t.Helper()
	cmd := exec.CommandContext(within(t), os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role, argumentVariable+"="+base)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(said))
	if err != nil {
		t.Fatalf("the host said %q", said)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return pid
}

// A host that is killed leaves a directory, which the next one clears, unless its
// plugin still uses it.
func TestLaunchClearsTheDirectoryOfAKilledHost(t *testing.T) {
	base := shortDir(t)
	cfg := config(t, "serve", "")
	cfg.Sockets.Dirs = []string{base}
	pid := killHost(t, "host", base)
	path := sockets(t, base)[0]

	// Close waits for what a launch clears.
	if err := launch(t, cfg).Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("cleared while the plugin runs: %v", err)
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if err := launch(t, cfg).Close(); err != nil {
			t.Fatal(err)
		}
		if left, _ := os.ReadDir(base); len(left) == 0 {
			return
		}
	}
	empty(t, base)
}
