//go:build unix && !aix && !solaris

package socket

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"

	"github.com/jackfield-go/jackfield/core/internal/sweep"
)

// crowded is the minimum size of a directory, in bytes, with very many names: thousands on most
// file systems. Finding this library's directories among them takes as long as a launch.
const crowded = 64 << 10

// seldom is the share of launches in a crowded place, 1 in seldom, that read all its names to find
// directories made before it was crowded.
const seldom = 512

// roomName is the name of this user's directory in a crowded place.
func roomName() string { return dirPattern + "u" + strconv.Itoa(os.Geteuid()) }

// room returns the parent for new directories in a base: the base, or if it is crowded, a directory
// of this user's own there. That directory is for its user alone, or lets the users with access
// pass. If it cannot be made, as another user has taken its name, room returns the base.
func room(base string, access Access) string {
	info, err := os.Lstat(base)
	if err != nil || info.Size() < crowded {
		return base
	}
	path := filepath.Join(base, roomName())
	if announceable(path, "") != nil {
		return base
	}
	if makeRoom(path, access) != nil {
		return base
	}
	return path
}

// makeRoom makes a room, or takes the existing room.
func makeRoom(path string, access Access) error {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	made, err := openRoom(path)
	if err != nil {
		return err
	}
	defer made.Close()
	if access.shared() {
		return made.Chmod(0o711)
	}
	return nil
}

// openRoom opens a room and restricts writing to this user.
func openRoom(path string) (*os.File, error) {
	made, err := openDir(path)
	if errors.Is(err, fs.ErrPermission) {
		if err = openUp(path); err == nil {
			made, err = openDir(path)
		}
	}
	if err != nil {
		return nil, err
	}
	info, err := made.Stat()
	if err == nil && !isMine(info, fs.ModeDir) {
		err = &fs.PathError{Op: "open", Path: path, Err: errExchanged}
	}
	if err == nil && info.Mode().Perm()&^0o011 != 0o700 {
		err = made.Chmod(0o700)
	}
	if err != nil {
		made.Close()
		return nil, err
	}
	return made, nil
}

// isRoomGone reports whether a directory could not be made because another process removed the room
// with the last directory in it.
func isRoomGone(base string, err error) bool {
	if !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	_, err = os.Lstat(base)
	return err == nil
}

// leaveRoom removes the room of a removed directory, if that was the last.
func leaveRoom(path string) {
	if room := filepath.Dir(path); filepath.Base(room) == roomName() {
		_ = os.Remove(room)
	}
}

// startSweep starts to remove the directories abandoned by processes of this user in the same place
// as dir: in the base and in this user's room there. In a crowded place it seldom sweeps the base.
func startSweep(dir string) *sweep.Sweep {
	if filepath.Base(dir) != roomName() {
		return sweep.Start(dir, dirPattern, clearAway)
	}
	if rand.IntN(seldom) > 0 { //nolint:gosec // nothing depends on who guesses it
		return sweep.Start(dir, dirPattern, clearAway)
	}
	return sweep.Start(dir, dirPattern, clearAway, filepath.Dir(dir))
}
