// Package sweep finds the directories that ended processes have left where they
// made them, among all else that is there.
package sweep

import (
	"os"
	"path/filepath"
	"strings"
)

// batch is how many names are read at once.
const batch = 512

// atLeast is how many names are looked at though somebody waits: where there are not
// many more, each sweep clears all that there is, and a directory that is as full as
// it may be holds nobody up.
const atLeast = 2 * batch

// Sweep is the clearing of a directory, while its starter does something else. A nil
// one is none.
type Sweep struct {
	hurry, done chan struct{} // closed when somebody waits for it, and when it has ended
}

// Start calls look for what is in base under a name that [os.MkdirTemp] gives for
// prefix. It is for look to find out what that is, and whether it may be removed.
func Start(base, prefix string, look func(path string)) *Sweep {
	s := &Sweep{hurry: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		s.run(base, prefix, look)
	}()
	return s
}

// Hurry makes it leave the rest of a directory with very many names to the next one.
// It is called once.
func (s *Sweep) Hurry() {
	if s != nil {
		close(s.hurry)
	}
}

// Done returns a channel that is closed at its end.
func (s *Sweep) Done() <-chan struct{} {
	if s == nil {
		none := make(chan struct{})
		close(none)
		return none
	}
	return s.done
}

func (s *Sweep) run(base, prefix string, look func(path string)) {
	dir, err := os.Open(base)
	if err != nil {
		return
	}
	defer dir.Close()
	for looked := 0; looked < atLeast || !s.isHurried(); {
		names, err := dir.Readdirnames(batch)
		looked += len(names)
		for _, name := range names {
			if isMade(name, prefix) {
				look(filepath.Join(base, name))
			}
		}
		if err != nil {
			return
		}
	}
}

func (s *Sweep) isHurried() bool {
	select {
	case <-s.hurry:
		return true
	default:
		return false
	}
}

// isMade reports whether os.MkdirTemp gives such names: it adds digits.
func isMade(name, prefix string) bool {
	random, ok := strings.CutPrefix(name, prefix)
	return ok && random != "" && strings.Trim(random, "0123456789") == ""
}
