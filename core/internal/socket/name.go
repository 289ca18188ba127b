package socket

import (
	"fmt"
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

// maxNames bounds how many names are tried that processes which had this number
// before have left.
const maxNames = 1000

// Listen listens on a new socket in dir. Closing the listener removes it.
func (n *Namer) Listen(dir string) (*net.UnixListener, error) {
	var inUse error
	for range maxNames {
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
		if !IsInUse(err) {
			return nil, err
		}
		inUse = err
	}
	return nil, fmt.Errorf("each of %d names for a socket is in use, so remove what ended processes have left there: %w", maxNames, inUse)
}

func listenUnix(path string) (*net.UnixListener, error) {
	return net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
}
