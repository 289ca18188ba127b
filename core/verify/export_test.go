package verify

import (
	"crypto"
	"os"
	"path/filepath"
)

// LookUpSum looks a program's sum up in a file of the given text.
func LookUpSum(dir, text, name string) ([]byte, error) {
	return LookUpSumIn(filepath.Join(dir, "SHA256SUMS"), text, name)
}

// LookUpSumIn is LookUpSum in a file of that path.
func LookUpSumIn(path, text, name string) ([]byte, error) {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return nil, err
	}
	return sumsFile{hash: crypto.SHA256, path: path}.lookUp(filepath.Join(filepath.Dir(path), name))
}

// AwaitSweep waits until the abandoned directories beside the copy are removed.
func (s *Sealed) AwaitSweep() { <-s.file.sweep.Done() }
