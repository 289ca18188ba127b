//go:build unix && !linux

package socket

import (
	"io/fs"
	"os"
)

// DefaultNetwork is the default network for plugins to listen on (protocol §1).
const DefaultNetwork = "unix"

// maxPath is the size of sun_path without its NUL on the BSDs and macOS, the
// smallest of the platforms'.
const maxPath = 103

// defaultBases prefers the system's choice. On macOS that is its user's alone,
// so a shared directory cannot be there.
func defaultBases(shared bool) []string {
	if shared {
		return []string{"/tmp"}
	}
	return []string{os.TempDir(), "/tmp"}
}

// madeSocket is the path of a socket. No descriptor can stand for it here, so each use checks first
// that it is still the same socket.
type madeSocket string

func openSocket(path string) (madeSocket, error) { return madeSocket(path), madeSocket(path).check() }

func (madeSocket) Close() error { return nil }

func (m madeSocket) check() error {
	info, err := os.Lstat(string(m))
	if err != nil {
		return err
	}
	if err := checkMade(info); err != nil {
		return &fs.PathError{Op: "lstat", Path: string(m), Err: err}
	}
	return nil
}

func (m madeSocket) Chown(uid, gid int) error {
	if err := m.check(); err != nil {
		return err
	}
	return os.Lchown(string(m), uid, gid)
}

func (m madeSocket) Chmod(mode os.FileMode) error {
	if err := m.check(); err != nil {
		return err
	}
	return os.Chmod(string(m), mode)
}

// openUp lets this user read a directory just made by this process.
func openUp(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !isMine(info, fs.ModeDir) {
		return &fs.PathError{Op: "lstat", Path: path, Err: errExchanged}
	}
	return os.Chmod(path, 0o700)
}
