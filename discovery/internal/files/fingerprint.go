package files

import "io/fs"

// Fingerprint is the system's answer about a file without reading it. While it is the
// same, so is the content: a change of the content changes the time of the last
// change, and on Linux and macOS no program can set that.
type Fingerprint struct {
	Size     int64  `json:"size"`
	Modified int64  `json:"modified"` // in nanoseconds since 1970
	Changed  int64  `json:"changed"`  // of the inode, the same; 0 where there is none
	Device   uint64 `json:"device"`
	Inode    uint64 `json:"inode"`
}

// FingerprintOf returns the fingerprint of the described file.
func FingerprintOf(info fs.FileInfo) Fingerprint {
	f := Fingerprint{Size: info.Size(), Modified: info.ModTime().UnixNano()}
	return f.ofSystem(info)
}

// Latest is the latest known time of a change.
func (f Fingerprint) Latest() int64 { return max(f.Modified, f.Changed) }
