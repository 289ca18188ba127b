// Package socket makes the unix sockets of both sides: in a private directory,
// under a path that is short enough for the platform.
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
	"unicode"

	"github.com/jackfield-go/jackfield/core"
)

// nameRoom is what a socket's name takes beneath its directory, separator
// included. Those of other libraries are as long as this.
const nameRoom = 24

// dirPattern names the directories. The random part has ten digits at the most.
const (
	dirPattern = "jackfield-"
	dirRoom    = len(dirPattern) + 10
)

// MakeDir makes a directory that only this user can enter (mode 0700), or also
// the members of group if that is not empty (mode 0770). It is in the first of
// bases in which the path of a socket stays short enough and that lets it.
// Without bases these are the platform's.
func MakeDir(group string, bases ...string) (string, error) {
	dir, err := makeDir(group != "", bases)
	if err != nil {
		return "", fmt.Errorf("make a private directory for sockets: %w", err)
	}
	if err := shareDir(dir, group); err != nil {
		_ = os.Remove(dir)
		return "", err
	}
	return dir, nil
}

func makeDir(shared bool, bases []string) (string, error) {
	setting := "choose a shorter directory for sockets"
	if len(bases) == 0 {
		bases = defaultBases(shared)
		setting = "set TMPDIR to a shorter directory"
	}
	var failed []error
	for _, base := range bases {
		base, err := filepath.Abs(base) // the plugin may have another working directory
		if err != nil {
			failed = append(failed, err)
			continue
		}
		if strings.ContainsFunc(base, func(r rune) bool { return r == '|' || unicode.IsControl(r) }) {
			failed = append(failed, fmt.Errorf("%q cannot be announced to the other side: it has a %q or a control character in it", base, "|"))
			continue
		}
		longest := filepath.Join(base, dirPattern+strings.Repeat("0", dirRoom-len(dirPattern)), strings.Repeat("s", nameRoom-1))
		if len(longest) > maxPath {
			failed = append(failed, &core.SocketPathError{Path: longest, Limit: maxPath, Advice: setting})
			continue
		}
		dir, err := os.MkdirTemp(base, dirPattern)
		if err == nil {
			return dir, nil
		}
		failed = append(failed, err)
	}
	return "", errors.Join(failed...)
}

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
		name := n.Prefix + strconv.Itoa(os.Getpid()) + "-" + strconv.FormatUint(uint64(n.last.Add(1)), 10)
		path := filepath.Join(dir, name)
		if len(path) > maxPath {
			return nil, &core.SocketPathError{Path: path, Limit: maxPath, Advice: "choose a shorter directory for sockets"}
		}
		listener, err := listenUnix(path)
		if err == nil {
			return listener, nil
		}
		if _, statErr := os.Lstat(path); statErr == nil && !errors.Is(err, os.ErrPermission) {
			continue // left by a process that had this number before
		}
		return nil, err
	}
}
