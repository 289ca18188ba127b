package discovery

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/jackfield-go/jackfield/discovery/internal/files"
	"github.com/jackfield-go/jackfield/discovery/internal/text"
	"github.com/jackfield-go/jackfield/discovery/sums"
)

const (
	cacheVersion  = 1
	maxCacheFile  = 32 << 20
	maxCacheFiles = 4096

	// settled is the least age of a file's change for its results to be kept. The
	// slowest clock of a file system ticks every two seconds; a later change within
	// the same tick would not show.
	settled = 2 * time.Second

	// useNoted is how old the note of a file's use may be. Each new note is a
	// reason to write the cache.
	useNoted = 24 * time.Hour
)

// Cache keeps sums and descriptions of files for as long as the files stay the same:
// their size, their times, their place on the disk. It saves reading and running
// them; the lock file is compared each time. The zero value is an empty cache in
// memory. It is safe for use by several goroutines.
type Cache struct {
	path  string
	later time.Duration // how much later than now it is, in tests

	mu      sync.Mutex
	entries map[string]cached // by path
	changed map[string]bool
}

// cached is the knowledge about a file.
type cached struct {
	File        files.Fingerprint `json:"file"`
	Sum         sums.Sum          `json:"sha256"`
	Description *Description      `json:"description,omitempty"`
	// NoDescription is why there is none; empty if it was not asked for.
	NoDescription string `json:"noDescription,omitempty"`
	Used          int64  `json:"used"` // in seconds since 1970
}

// CacheError says that a cache's file cannot be read. The cache is empty, and Save
// replaces its file.
type CacheError struct {
	// Path is the file.
	Path string
	// Err is the reason.
	Err error
}

func (e *CacheError) Error() string {
	return text.Line(fmt.Sprintf("the cache %s is not used: %v", e.Path, e.Err), shownLine)
}

// Unwrap returns the reason.
func (e *CacheError) Unwrap() error { return e.Err }

// CachePath is where an application's cache lies by custom: plugins.json in its
// directory in [os.UserCacheDir].
func CachePath(app string) (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(base, app, "plugins.json"), nil
}

// OpenCache reads the cache in a file; a missing file is an empty cache. The cache
// can be used even with an error, a *[CacheError].
//
// A user who can write the file can make this program believe in a wrong sum. The
// file belongs where only this user can write. A launch with verification, as a host
// can do, does not depend on it.
func OpenCache(path string) (*Cache, error) {
	c := &Cache{path: path}
	entries, err := readCache(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c, &CacheError{Path: path, Err: err}
	}
	c.entries = entries
	return c, nil
}

func readCache(path string) (map[string]cached, error) {
	file, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case ThisPlatform().modes() && info.Mode().Perm()&0o002 != 0:
		return nil, errors.New(reasonTexts[ReasonWritable])
	}
	data, err := io.ReadAll(io.LimitReader(file, maxCacheFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxCacheFile {
		return nil, fmt.Errorf("it is longer than %d bytes", maxCacheFile)
	}
	var stored struct {
		Version int               `json:"version"`
		Files   map[string]cached `json:"files"`
	}
	if err := json.Unmarshal(data, &stored); err != nil {
		return nil, err
	}
	if stored.Version != cacheVersion {
		return nil, nil // another release's; it is made anew
	}
	return stored.Files, nil
}

// Save writes new results to the cache's file, if it has one: under a lock, and
// merged with those of other processes. Of very many files the least recently used
// are left out.
func (c *Cache) Save(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.path == "" || len(c.changed) == 0 {
		return nil
	}
	if err := c.write(ctx); err != nil {
		return fmt.Errorf("save the cache of plugins: %w", err)
	}
	clear(c.changed)
	return nil
}

func (c *Cache) write(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Dir(c.path), 0o700); err != nil {
		return err
	}
	path := files.Target(c.path)
	unlock, err := files.Lock(ctx, path)
	if err != nil {
		return err
	}
	defer unlock()
	known, err := readCache(path)
	if err != nil || known == nil {
		known = make(map[string]cached)
	}
	for path := range c.changed {
		known[path] = c.entries[path]
	}
	prune(known, maxCacheFiles)
	data, err := json.Marshal(struct {
		Version int               `json:"version"`
		Files   map[string]cached `json:"files"`
	}{cacheVersion, known})
	if err != nil {
		return err
	}
	return files.Write(path, data, 0o600)
}

// prune keeps the most recently used files.
func prune(files map[string]cached, keep int) {
	if len(files) <= keep {
		return
	}
	paths := slices.SortedFunc(maps.Keys(files), func(a, b string) int {
		return cmp.Or(cmp.Compare(files[b].Used, files[a].Used), cmp.Compare(a, b))
	})
	for _, path := range paths[keep:] {
		delete(files, path)
	}
}

// get returns the knowledge about a file, if the file is still the same, and notes
// the day of its use.
func (c *Cache) get(path string, file files.Fingerprint) (cached, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.entries[path]
	if !ok || known.File != file {
		return cached{}, false
	}
	if now := time.Now().Add(c.later); now.Sub(time.Unix(known.Used, 0)) > useNoted {
		known.Used = now.Unix()
		c.set(path, known)
	}
	return known, true
}

// put remembers results about a file, unless the file is so new that another change
// of it might not show.
func (c *Cache) put(path string, entry cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now().Add(c.later)
	if now.Sub(time.Unix(0, entry.File.Latest())) < settled {
		return
	}
	entry.Used = now.Unix()
	c.set(path, entry)
}

// set runs with the lock.
func (c *Cache) set(path string, entry cached) {
	if c.changed == nil {
		c.changed = make(map[string]bool)
	}
	if c.entries == nil {
		c.entries = make(map[string]cached)
	}
	c.entries[path], c.changed[path] = entry, true
}
