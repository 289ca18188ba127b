//go:build !unix

package plugin

import "os"

// abandon has nothing to do: a write to a broken pipe fails here, and harms nobody.
func (*output) abandon(*os.File) {}

// endFamily ends this process, and the job of its children with it.
func endFamily() {
	os.Exit(1) //nolint:forbidigo // an orphan must not stay, whatever main does
}

// leaveFamily has nothing to do: the job ends with this process.
func leaveFamily() {}
