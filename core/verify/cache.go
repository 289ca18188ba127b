package verify

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jackfield-go/jackfield/core/internal/fileid"
)

// DefaultCacheBytes is what a zero [Cache.MaxBytes] stands for.
const DefaultCacheBytes = 1 << 30

// ErrCacheClosed is the error of a launch with a closed [Cache].
var ErrCacheClosed = errors.New("the program cache is closed")

// Cache keeps the sealed copies of verified programs, and their sums. The next
// launch neither reads nor copies anything. The verifier is asked each time, and its
// answer comes from the sums. So a withdrawn sum counts at once.
//
// The copy runs, so a change of the file cannot make another program run. A changed
// file is copied and checked anew. A change shows in the device and inode, the size,
// and the times of modification and of status change. A write without a new time is
// not noticed: a program that has mapped the file for writing before can change it
// so, above all on a file system in memory (tmpfs). Then the earlier, approved copy
// runs.
//
// The zero value is ready for use, by any number of launches and configurations at
// the same time. Its owner closes it. It must not be copied.
type Cache struct {
	// MaxBytes bounds the kept copies, by the sizes of the programs: the least
	// recently launched go first. A running program keeps its copy beyond that. 0
	// means DefaultCacheBytes; below 0 nothing is kept, but launches of the same
	// program at the same time share a copy.
	MaxBytes int64

	mu      sync.Mutex
	closed  bool
	clock   uint64 // counts launches
	entries map[cacheKey]*sharedCopy
}

// cacheKey tells copies apart. Files are told apart by their identities; a file in
// another one's place takes the place of its copy too.
type cacheKey struct {
	path           string
	dirs           string
	maxBytes       int64
	inFile, shared bool
}

// Close gives up the kept copies. Running copies stay until their plugins have ended.
// Later launches with the cache fail. It may be called again.
func (c *Cache) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for key, program := range c.entries {
		delete(c.entries, key)
		program.release()
	}
	return nil
}

// seal returns a copy of an open program; the caller releases it. Without a cache
// (nil) it is the caller's alone.
func (c *Cache) seal(ctx context.Context, file *os.File, cfg SealConfig) (*sharedCopy, error) {
	id, ok := fileid.Of(file)
	if c == nil || !ok || !id.Settled(time.Now()) {
		if c.isClosed() {
			return nil, ErrCacheClosed
		}
		program := newSharedCopy(1)
		program.fill(ctx, file, cfg)
		return program.ifMade()
	}
	key := cacheKey{
		path:     file.Name(),
		dirs:     strings.Join(cfg.Dirs, "\x00"),
		maxBytes: cfg.MaxBytes,
		inFile:   cfg.InFile,
		shared:   cfg.Shared,
	}
	for {
		program, mine, err := c.claim(key, id)
		if err != nil {
			return nil, err
		}
		if mine {
			c.fill(ctx, program, file, cfg)
			return program.ifMade()
		}
		select {
		case <-program.ready:
		case <-ctx.Done():
			program.release()
			return nil, ctx.Err()
		}
		if program.err == nil {
			return program, nil
		}
		// Whoever made it may only have been in a hurry.
		program.release()
	}
}

func (c *Cache) isClosed() bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// claim returns the copy for a file, with the caller as one more owner. If it is
// a new one, the caller is to fill it.
func (c *Cache) claim(key cacheKey, id fileid.ID) (program *sharedCopy, mine bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, false, ErrCacheClosed
	}
	c.clock++
	if program := c.entries[key]; program != nil && program.id == id && program.intact() {
		program.own()
		program.used = c.clock
		return program, false, nil
	}
	if c.entries == nil {
		c.entries = make(map[cacheKey]*sharedCopy)
	}
	c.drop(c.entries[key]) // the copy of the earlier content
	program = newSharedCopy(2)
	program.key, program.id, program.used = key, id, c.clock
	c.entries[key] = program
	return program, true, nil
}

// fill makes a copy for others that may wait for it. If the file changed meanwhile,
// only this launch gets the copy.
func (c *Cache) fill(ctx context.Context, program *sharedCopy, file *os.File, cfg SealConfig) {
	program.fill(ctx, file, cfg)
	after, _ := fileid.Of(file)
	c.mu.Lock()
	defer c.mu.Unlock()
	if program.err != nil || after != program.id {
		c.drop(program)
	}
}

// approve keeps an approved copy, within the bounds.
func (c *Cache) approve(program *sharedCopy) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	program.approved = true
	c.trim()
}

// reject forgets a refused copy, unless it was approved before.
func (c *Cache) reject(program *sharedCopy) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !program.approved {
		c.drop(program)
	}
}

// trim forgets the least recently used copies until the rest is within the bounds. A
// copy without approval yet is in use, and not counted.
func (c *Cache) trim() {
	limit := c.MaxBytes
	if limit == 0 {
		limit = DefaultCacheBytes
	}
	for {
		var total int64
		var oldest *sharedCopy
		for _, program := range c.entries {
			if !program.approved {
				continue
			}
			total += program.sealed.Size()
			if oldest == nil || program.used < oldest.used {
				oldest = program
			}
		}
		if oldest == nil || total <= limit {
			return
		}
		c.drop(oldest)
	}
}

// drop gives up the cache's part in a copy, if it still has one.
func (c *Cache) drop(program *sharedCopy) {
	if program != nil && c.entries[program.key] == program {
		delete(c.entries, program.key)
		program.release()
	}
}
