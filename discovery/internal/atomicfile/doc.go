// Package atomicfile replaces files so that a reader sees the old content or the
// new one, whatever happens in between, and lets processes take turns at that.
//
// [Write] goes through a temporary file beside the target, which is flushed to
// the disk before it takes the target's name. [Lock] is an advisory lock, held
// by an open file, so that the system ends it when its holder dies; an
// abandoned lock file does not hold anybody up.
package atomicfile
