// Package files is how this module handles files: it opens regular ones only,
// replaces them whole, lets processes take turns, and knows whether a file is
// still the same. Differences between systems end here.
//
// [Write] goes through a temporary file beside the target, flushed to the disk
// before it takes the target's name: a reader sees the old content or the new.
// [Lock] is an advisory lock, held by an open file. The system ends it when its
// holder dies, so an abandoned lock file holds nobody up.
package files
