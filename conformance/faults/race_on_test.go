//go:build unix && race

package faults

// raceEnabled says that the race detector is built in.
const raceEnabled = true
