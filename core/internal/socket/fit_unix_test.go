//go:build unix && !aix && !solaris

package socket

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

const umaskVariable = "SOCKET_TEST_UMASK"

// becomeSomebody takes the umask that the test asks for, and the rights of root away,
// for which no mode is an obstacle.
func becomeSomebody() {
	umask, err := strconv.ParseUint(os.Getenv(umaskVariable), 8, 12)
	if err == nil && os.Geteuid() == 0 {
		err = syscall.Setuid(65533)
	}
	if err != nil {
		_, _ = os.Stdout.WriteString(err.Error())
		os.Exit(1)
	}
	syscall.Umask(int(umask))
}

func TestNoUmaskKeepsAUserFromItsDirectory(t *testing.T) {
	for _, umask := range []string{"777", "477", "377", "277", "177", "077", "022", "000"} {
		t.Run(umask, func(t *testing.T) {
			base, err := os.MkdirTemp("/tmp", "s") //nolint:usetesting // where others get to, also on macOS
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(base) })
			if err := os.Chmod(base, os.ModeSticky|0o777); err != nil { // as that of /tmp
				t.Fatal(err)
			}
			t.Setenv(umaskVariable, umask)
			dir, _, _ := process(t, "owner with a umask", base)
			if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 || filepath.Dir(dir) != base {
				t.Errorf("made %q, %v, %v", dir, info, err)
			}
		})
	}
}
