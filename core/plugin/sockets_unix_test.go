//go:build unix

package plugin_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/internal/testkit"
)

func TestSocketIsInTheHostsDirectory(t *testing.T) {
	dir := testkit.ShortDir(t)
	r := run(t, surround(map[string]string{handshake.EnvSocketDir: dir}), config(new(faketransport.Transport)))
	path := r.parsed(t).Address
	if filepath.Dir(path) != dir {
		t.Errorf("the socket is %s", path)
	}
	r.cancel()
	if err := r.end(t); err != nil {
		t.Error(err)
	}
	gone(t, path)
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("the host's directory: %v", err)
	}
}

func TestSocketIsInAPrivateDirectoryWithoutAHosts(t *testing.T) {
	r := run(t, surround(nil), config(new(faketransport.Transport)))
	dir := filepath.Dir(r.parsed(t).Address)
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	r.cancel()
	if err := r.end(t); err != nil {
		t.Error(err)
	}
	gone(t, dir)
}

func TestSocketsPassOverALongTemporaryDirectory(t *testing.T) { // F19
	long := filepath.Join(t.TempDir(), strings.Repeat("long", 40))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", long)
	if path := run(t, surround(nil), config(new(faketransport.Transport))).parsed(t).Address; len(path) > 100 {
		t.Errorf("the socket is %s", path)
	}
}

// Whoever can rename the host's directory does not get sockets made in another.
func TestSocketIsNotInAReplacedHostDirectory(t *testing.T) {
	base := testkit.ShortDir(t)
	dir := filepath.Join(base, "d")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	var link core.PluginLink
	run(t, surround(map[string]string{handshake.EnvSocketDir: dir}),
		config(&faketransport.Transport{Seen: func(l core.PluginLink) { link = l }}))
	listener, err := link.Listen(within(t))
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	if err := errors.Join(os.Rename(dir, filepath.Join(base, "away")), os.Mkdir(dir, 0o700)); err != nil {
		t.Fatal(err)
	}
	listener, err = link.Listen(within(t))
	if err == nil {
		_ = listener.Close()
		t.Fatal("it listens there")
	}
	mention(t, err, dir, "another process has replaced it")
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%s is left", left[0].Name())
	}
}

func TestHostsDirectoryErrorSaysThatItIsTooLong(t *testing.T) {
	err := refuse(t, surround(map[string]string{handshake.EnvSocketDir: "/tmp/" + strings.Repeat("long", 40)}),
		config(new(faketransport.Transport)))
	mention(t, err, "bytes on this platform", "shorter")
}

func TestHostsDirectoryErrorSaysThatItIsMissing(t *testing.T) {
	mention(t, refuse(t, surround(map[string]string{handshake.EnvSocketDir: "/no/such"}), config(new(faketransport.Transport))), "/no/such")
}

func TestSocketsAdmitTheHostsGroup(t *testing.T) {
	group := testkit.OtherGroup(t)
	r := run(t, surround(map[string]string{handshake.EnvSocketGroup: strconv.Itoa(group)}), config(new(faketransport.Transport)))
	path := r.parsed(t).Address
	for file, mode := range map[string]os.FileMode{path: 0o660, filepath.Dir(path): 0o770} {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if gid := info.Sys().(*syscall.Stat_t).Gid; int(gid) != group || info.Mode().Perm() != mode {
			t.Errorf("%s: group %d, mode %v", file, gid, info.Mode())
		}
	}
}

func TestSocketGroupErrorNamesAnUnknownGroup(t *testing.T) {
	mention(t, refuse(t, surround(map[string]string{handshake.EnvSocketGroup: "no-such-group"}),
		config(new(faketransport.Transport))), "no-such-group")
}
