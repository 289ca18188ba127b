//go:build unix

package host_test

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/jackfield-go/jackfield/core/host"
)

// Of what somebody else's runner has started, nobody knows whether it still runs: its
// directory stays when the host is killed.
func TestRunnersSocketDirectoryOutlivesAKilledHost(t *testing.T) {
	base := shortDir(t)
	cfg := config(t, "serve", "")
	cfg.Sockets.Dirs = []string{base}
	pid := killHost(t, "host with a runner of its own", base)
	defer func() { _ = syscall.Kill(pid, syscall.SIGKILL) }()

	// Close waits for what a launch clears.
	if err := launch(t, cfg).Close(); err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(base, "*", "plugin"))
	if err != nil || len(found) != 1 {
		t.Fatalf("the plugin runs, and its sockets are %q, %v", found, err)
	}
	conn, err := net.Dial("unix", found[0])
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

// Whoever can rename the private directory can stand in for either side.
func TestSocketDirsRefuseADirectoryWhereOthersMayRename(t *testing.T) {
	base, err := os.MkdirTemp("/tmp", "h") //nolint:usetesting // where others get to, also on macOS
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	if err := os.Chmod(base, 0o777); err != nil {
		t.Fatal(err)
	}
	cfg := config(t, "serve", "")
	cfg.Sockets.Dirs = []string{base}
	failure := fail(t, within(t), cfg)
	if failure.Stage != host.StageConfigure {
		t.Errorf("stage %s", failure.Stage)
	}
	mention(t, failure, base, "other users", "chmod go-w")
	empty(t, base)
}
