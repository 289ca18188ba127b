package discovery

import (
	"context"
	"time"

	"github.com/jackfield-go/jackfield/discovery/sums"
)

// DescribeCopy describes a copy of a file, and returns how the copy was run.
func (d Describer) DescribeCopy(ctx context.Context, path string, want sums.Sum, inMemory bool) (*Description, string, error) {
	program, err := seal(ctx, path, want, inMemory)
	if err != nil {
		return nil, "", err
	}
	defer program.close()
	description, err := d.describe(ctx, path, program)
	return description, program.path, err
}

// InAnHour makes the cache take files changed just now.
func (c *Cache) InAnHour() { c.In(time.Hour) }

// In makes the cache believe in a later time.
func (c *Cache) In(d time.Duration) { c.later = d }

// Used is the noted time of a file's last use.
func (c *Cache) Used(path string) int64 { return c.entries[path].Used }

// Len is how many files the cache knows.
func (c *Cache) Len() int { return len(c.entries) }

// Prune is prune of paths by the time of their use.
func Prune(used map[string]int64, keep int) {
	files := make(map[string]cached)
	for path, time := range used {
		files[path] = cached{Used: time}
	}
	prune(files, keep)
	for path := range used {
		if _, kept := files[path]; !kept {
			delete(used, path)
		}
	}
}
