package plugin_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/internal/testkit"
)

// Whoever can rename the host's directory cannot stand in for the host: the owner of
// what is put in its place is nobody to the plugin.
func TestSocketsRefuseTheOwnerOfAReplacedHostDirectory(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only as root: nobody else may act as another user")
	}
	const stranger = 65533
	base := testkit.ShortDir(t)
	dir := filepath.Join(base, "d")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	var link core.PluginLink
	run(t, surround(map[string]string{handshake.EnvSocketDir: dir}),
		config(&faketransport.Transport{Seen: func(l core.PluginLink) { link = l }}))
	if err := errors.Join(os.Rename(dir, filepath.Join(base, "away")), os.Mkdir(dir, 0o700),
		os.Chown(dir, stranger, stranger), os.Chmod(base, 0o711)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "h")
	listener, err := listenAs(stranger, path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	conn, err := link.DialAddress(within(t), "unix", path)
	if err == nil {
		_ = conn.Close()
	}
	var refused *core.PeerError
	if !errors.As(err, &refused) || refused.UID != stranger {
		t.Errorf("got %v", err)
	}
}

// listenAs listens as another user, whom the other end of a connection sees.
func listenAs(uid uintptr, path string) (listener net.Listener, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for ever: the thread stays the other user's, and ends here
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, uid, uid, uid); errno != 0 {
			err = errno
			return
		}
		listener, err = net.Listen("unix", path)
	}()
	<-done
	return listener, err
}
