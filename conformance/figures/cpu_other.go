//go:build !unix

package main

import "time"

// ownCPU returns 0: CPU time is not measured on this platform.
func ownCPU() time.Duration { return 0 }
