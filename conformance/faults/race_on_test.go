//go:build unix && race

package faults

// raceEnabled reports whether the race detector is built in.
const raceEnabled = true
