// Package socket makes the unix sockets of both sides: in a private directory,
// under a path short enough for the platform.
//
// A file in a directory names its owner. The owner keeps it locked, and so does
// a plugin serving there: the system releases a lock at the end of a process,
// even of a killed one. The next process of the same user that makes a
// directory in the same place removes the directories without a lock. It never
// connects to find out whether a directory is in use: a multiplexed plugin
// accepts only one connection in its life.
package socket

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"

	"github.com/jackfield-go/jackfield/core"
)

// Namer gives sockets names, unique in their directory for this process. The
// zero value is ready for use.
type Namer struct {
	// Prefix distinguishes the sockets of the two sides. It is short.
	Prefix string

	last atomic.Uint32
}

// maxNames limits the number of names to try. Earlier processes with this PID
// may have left some.
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
	return nil, fmt.Errorf("each of %d names for a socket is in use, so remove the sockets of ended processes: %w", maxNames, inUse)
}

// tryListen returns an error if no socket can be made in a directory: it is full, or its file
// system has no sockets.
func tryListen(dir string) error {
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, ".try"), Net: "unix"})
	if err != nil {
		return fmt.Errorf("no socket can be made there: %w", err)
	}
	return listener.Close()
}

// Numbers of Windows that package syscall does not have. Other platforms do not use them.
const (
	errWindowsInUse    = syscall.Errno(10048) // WSAEADDRINUSE
	errWindowsExcluded = syscall.Errno(10013) // WSAEACCES
)

// IsInUse reports whether listening failed because the address is in use.
func IsInUse(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, errWindowsInUse)
}

// IsExcluded reports whether listening failed because Windows keeps the port: for Hyper-V or WSL,
// or for a program that uses it alone. Another port may be free.
func IsExcluded(err error) bool { return errors.Is(err, errWindowsExcluded) }
