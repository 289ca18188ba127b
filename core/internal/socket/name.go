package socket

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"

	"github.com/jackfield-go/jackfield/core"
)

// Namer gives sockets names that are unique in their directory for this process.
// The zero value is ready for use.
type Namer struct {
	// Prefix tells the sockets of one side from the other's. It is short.
	Prefix string

	last atomic.Uint32
}

// Listen listens on a new socket in dir. Closing the listener removes it.
func (n *Namer) Listen(dir string) (*net.UnixListener, error) {
	for {
		number := n.last.Add(1)
		name := n.Prefix + strconv.Itoa(os.Getpid()) + "-" + strconv.FormatUint(uint64(number), 10)
		path := filepath.Join(dir, name)
		if len(path) > maxPath {
			return nil, &core.SocketPathError{Path: path, Limit: maxPath, Advice: "choose a shorter directory for sockets"}
		}
		listen := listenUnix
		if number == 1 {
			listen = listenFirst
		}
		listener, err := listen(path)
		if err == nil {
			return listener, nil
		}
		if _, statErr := os.Lstat(path); statErr == nil && !errors.Is(err, os.ErrPermission) {
			continue // left by a process that had this number before
		}
		return nil, err
	}
}

func listenUnix(path string) (*net.UnixListener, error) {
	return net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
}
