//go:build !linux && !darwin && !windows

package files

import "io/fs"

func (f Fingerprint) ofSystem(fs.FileInfo) Fingerprint { return f }
