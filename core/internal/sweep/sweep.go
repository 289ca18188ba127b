// Package sweep finds directories left by ended processes among the other
// entries of a directory.
package sweep

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// batch is the number of names read at once.
const batch = 512

// atLeast is the minimum number of names to inspect, even if a caller waits. A small directory is
// thus cleared completely in each sweep, and a full directory delays nobody. atLeastFar is the
// number of names to read of the directories beside the first.
const (
	atLeast    = 2 * batch
	atLeastFar = 128 * batch
)

// maxKept is the number of directories in use, in a row and among the names read at once, after which
// a sweep leaves the rest of these names to later sweeps. So a host of hundreds of plugins does not
// inspect all their directories at each launch. The order is random: every name has its turn.
const maxKept = 8

// A Sweep removes abandoned directories in the background. A nil *Sweep does nothing.
type Sweep struct {
	hurry, done chan struct{} // closed by Hurry, and at the sweep's end
}

// Start calls clearAway for each entry of base named like the directories of
// [os.MkdirTemp] with prefix. clearAway removes the entry if it is abandoned. Among many
// entries in use the sweep inspects a random part of them. Then
// Start does the same for far, and reads more names there even if a caller waits:
// far is for directories swept seldom, since that takes long.
func Start(base, prefix string, clearAway func(path string), far ...string) *Sweep {
	s := &Sweep{hurry: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		s.run(base, prefix, clearAway, atLeast)
		for _, base := range far {
			s.run(base, prefix, clearAway, atLeastFar)
		}
	}()
	return s
}

// Hurry makes the sweep leave the rest of a very large directory to the next sweep. Call it once.
func (s *Sweep) Hurry() {
	if s != nil {
		close(s.hurry)
	}
}

// Done returns a channel that is closed when the sweep ends.
func (s *Sweep) Done() <-chan struct{} {
	if s == nil {
		none := make(chan struct{})
		close(none)
		return none
	}
	return s.done
}

func (s *Sweep) run(base, prefix string, clearAway func(path string), least int) {
	dir, err := os.Open(base)
	if err != nil {
		return
	}
	defer dir.Close()
	for read, looked := 0, 0; read < least && looked < atLeast || !s.isHurried(); {
		names, err := dir.Readdirnames(batch)
		read += len(names)
		looked += clearSome(base, names, prefix, clearAway)
		if err != nil {
			return
		}
	}
}

// clearSome calls clearAway for the names with the prefix, in random order, until maxKept entries in
// a row stay. It returns the number of calls.
func clearSome(base string, names []string, prefix string, clearAway func(path string)) (looked int) {
	rand.Shuffle(len(names), func(i, j int) { //nolint:gosec // nothing depends on who guesses it
		names[i], names[j] = names[j], names[i]
	})
	kept := 0
	for _, name := range names {
		if !isMade(name, prefix) {
			continue
		}
		path := filepath.Join(base, name)
		clearAway(path)
		looked++
		if _, err := os.Lstat(path); err != nil {
			kept = 0
		} else if kept++; kept == maxKept {
			break
		}
	}
	return looked
}

func (s *Sweep) isHurried() bool {
	select {
	case <-s.hurry:
		return true
	default:
		return false
	}
}

// isMade reports whether name is prefix and digits, as os.MkdirTemp makes it.
func isMade(name, prefix string) bool {
	random, ok := strings.CutPrefix(name, prefix)
	return ok && random != "" && strings.Trim(random, "0123456789") == ""
}
