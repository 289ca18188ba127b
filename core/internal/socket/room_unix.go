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

// crowded is from which size on, in bytes, a directory is taken for one with very many
// names, thousands on most file systems. To find those of this library among them takes
// as long as a launch.
const crowded = 64 << 10

// seldom is the share of launches in a crowded place, one in so many, that look through
// all its names for directories that were made before it was crowded.
const seldom = 512

// roomName is the directory of this user's in a crowded place.
func roomName() string { return dirPattern + "u" + strconv.Itoa(os.Geteuid()) }

// room returns where directories are made in a base: in the base, or if that is crowded,
// in a directory of this user's own there. That is for its user alone, or lets those
// pass who have access to what is in it. Where it cannot be made, as another user has
// taken its name, the base has to do.
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

// makeRoom makes a room, or takes the one that is there.
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

// openRoom opens a room, and sees to it that this user alone may write there.
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

// isRoomGone reports whether a directory could not be made since the last of the room's
// has just been removed, and the room with it.
func isRoomGone(base string, err error) bool {
	if !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	_, err = os.Lstat(base)
	return err == nil
}

// leaveRoom removes the room of a directory that has been removed, if it was the last.
func leaveRoom(path string) {
	if room := filepath.Dir(path); filepath.Base(room) == roomName() {
		_ = os.Remove(room)
	}
}

// startSweep begins to remove the directories that processes of this user left behind
// beside one in dir: in the base and in this user's room there, where the place is
// crowded seldom in the base.
func startSweep(dir string) *sweep.Sweep {
	if filepath.Base(dir) != roomName() {
		return sweep.Start(dir, dirPattern, clearAway)
	}
	if rand.IntN(seldom) > 0 { //nolint:gosec // nothing depends on who guesses it
		return sweep.Start(dir, dirPattern, clearAway)
	}
	return sweep.Start(dir, dirPattern, clearAway, filepath.Dir(dir))
}
