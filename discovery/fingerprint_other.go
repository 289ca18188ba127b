//go:build !linux && !darwin && !windows

package discovery

import "io/fs"

func (f fingerprint) ofSystem(fs.FileInfo) fingerprint { return f }
