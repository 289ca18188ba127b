package socket

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// DefaultNetwork is the default network for plugins to listen on (protocol §1).
const DefaultNetwork = "unix"

// maxPath is the size of sun_path without its NUL (unix(7)).
const maxPath = 107

// defaultBases prefers the user's choice, then directories in memory: a socket
// in a directory on disk takes several times as long to make, a good part of a
// plugin's launch. A shared directory cannot be in XDG_RUNTIME_DIR, which is
// its user's alone.
func defaultBases(shared bool) []string {
	variables := []string{"TMPDIR", "XDG_RUNTIME_DIR"}
	if shared {
		variables = variables[:1]
	}
	var bases []string
	for _, variable := range variables {
		if dir := os.Getenv(variable); filepath.IsAbs(dir) {
			bases = append(bases, dir)
		}
	}
	return append(bases, "/dev/shm", "/tmp")
}

// bootID returns the ID of this boot of the machine (proc_sys_kernel(5)). Empty: unknown.
func bootID() string {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// madeSocket is a socket in the file system, by its descriptor: a replacement
// at its path is not touched.
type madeSocket struct{ *os.File }

func openSocket(path string) (madeSocket, error) {
	file, err := os.OpenFile(path, unix.O_PATH|unix.O_NOFOLLOW, 0)
	if err != nil {
		return madeSocket{}, err
	}
	info, err := file.Stat()
	if err == nil {
		err = checkMade(info)
	}
	if err != nil {
		file.Close()
		return madeSocket{}, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return madeSocket{file}, nil
}

// openUp lets this user read a directory just made by this process.
func openUp(path string) error {
	file, err := os.OpenFile(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err == nil && !isMine(info, fs.ModeDir) {
		err = &fs.PathError{Op: "open", Path: path, Err: errExchanged}
	}
	if err != nil {
		return err
	}
	return madeSocket{file}.Chmod(0o700)
}

// Chown and Chmod replace those of the file: fchown(2) and fchmod(2) do not take a descriptor of
// this kind.

func (m madeSocket) Chown(uid, gid int) error {
	if err := unix.Fchownat(int(m.Fd()), "", uid, gid, unix.AT_EMPTY_PATH); err != nil {
		return &fs.PathError{Op: "chown", Path: m.Name(), Err: err}
	}
	return nil
}

// Chmod uses a link to the descriptor's file.
func (m madeSocket) Chmod(mode os.FileMode) error {
	err := os.Chmod("/proc/self/fd/"+strconv.Itoa(int(m.Fd())), mode)
	if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
		return &fs.PathError{Op: "chmod", Path: m.Name(), Err: pathErr.Err}
	}
	return err
}
