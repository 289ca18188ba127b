package verify

import (
	"bytes"
	"context"
	"crypto"
	"encoding/hex"
	"fmt"
	"slices"
)

// checksum is the verifier of [Checksum].
type checksum struct {
	hash crypto.Hash
	want []byte
}

// Checksum lets a program with the given sum run, typically of [crypto.SHA256].
// Another program is a *[ChecksumError].
//
// A launch fails before anything is looked at if the sum has a wrong length, or if
// the hash is not linked into this program (a *[HashError]).
func Checksum(hash crypto.Hash, sum []byte) Verifier {
	return checksum{hash: hash, want: slices.Clone(sum)}
}

func (c checksum) validate() error {
	if err := checkHash(c.hash); err != nil {
		return err
	}
	if len(c.want) != c.hash.Size() {
		return fmt.Errorf("the checksum in Config.Verify.Verifier has %d bytes, and a %v has %d: "+
			"is it decoded (hex.DecodeString)?", len(c.want), c.hash, c.hash.Size())
	}
	return nil
}

// Verify compares the sums.
func (c checksum) Verify(ctx context.Context, program *Program) error {
	if err := c.validate(); err != nil {
		return err
	}
	return compare(ctx, program, c.hash, c.want)
}

func compare(ctx context.Context, program *Program, hash crypto.Hash, want []byte) error {
	got, err := program.Sum(ctx, hash)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return &ChecksumError{Path: program.path, Hash: hash, Want: slices.Clone(want), Got: got}
	}
	return nil
}

// ChecksumError says that a program has another sum than expected. It did not run.
type ChecksumError struct {
	// Path is where the program was found.
	Path string
	// Hash is the hash of the sums.
	Hash crypto.Hash
	// Want is the expected sum, Got the program's.
	Want, Got []byte
}

func (e *ChecksumError) Error() string {
	return fmt.Sprintf("the program %q has the %v sum %s, and %s was expected: "+
		"install it again",
		e.Path, e.Hash, hex.EncodeToString(e.Got), hex.EncodeToString(e.Want))
}

// DeveloperHint names the other remedy, for core.Hint.
func (e *ChecksumError) DeveloperHint() string {
	return "if it is the right program, correct the expected sum"
}

// HashError says that this program has no such hash for a sum.
type HashError struct {
	// Hash is the missing hash.
	Hash crypto.Hash
}

func (e *HashError) Error() string {
	return fmt.Sprintf("the hash %v is not a part of this program", e.Hash)
}

// DeveloperHint names the remedy, for core.Hint.
func (e *HashError) DeveloperHint() string {
	return "import the package of the hash, as in import _ \"crypto/sha256\""
}

func checkHash(hash crypto.Hash) error {
	if !hash.Available() {
		return &HashError{Hash: hash}
	}
	return nil
}
