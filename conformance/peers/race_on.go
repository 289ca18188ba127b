//go:build race

package peers

// Race says that the race detector is on: in this process, and in the programs of
// ours that are built here.
const Race = true
