//go:build !race

package peers

// Race reports whether the race detector is on: in this process, and in our programs built
// here.
const Race = false
