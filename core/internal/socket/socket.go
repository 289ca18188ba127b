// Package socket makes the unix sockets of both sides: in a private directory,
// under a path that is short enough for the platform.
//
// A directory says whose it is by a file in it, which its owner keeps locked, and
// a plugin that serves there too: the system lets go of a lock when a process
// ends, however it ends. Directories that nobody holds any more are removed by
// the next process of the same user that makes one beside them. Whether one is in
// use is never found out by connecting: a multiplexed plugin takes one connection
// in its life.
package socket

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

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
		listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
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

// namedBy returns the process that a Namer has named a socket for.
func namedBy(name string) (pid int, ok bool) {
	number, _, ok := strings.Cut(strings.TrimLeft(name, "hp"), "-")
	pid, err := strconv.Atoi(number)
	return pid, ok && err == nil && pid > 0
}

// tryListen returns an error if no socket can be made in a directory, which is then
// full, or of a file system that has none.
func tryListen(dir string) error {
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, ".try"), Net: "unix"})
	if err != nil {
		return fmt.Errorf("no socket can be made there: %w", err)
	}
	return listener.Close()
}

// errWindowsInUse is what Windows says in place of EADDRINUSE (WSAEADDRINUSE). It is no
// number of another platform's.
const errWindowsInUse = syscall.Errno(10048)

// IsInUse reports whether an address cannot be listened on since it is in use.
func IsInUse(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, errWindowsInUse)
}
