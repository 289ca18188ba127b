package host

import (
	"bytes"
	"context"
	"crypto"
	_ "crypto/sha256" // what most sums are
	_ "crypto/sha512" // and most of the others
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Verifier decides whether a program may run. It may be used by many launches at
// the same time, and again and again: those of this package keep nothing of one
// program for the next.
type Verifier interface {
	// Verify returns nil if the program may run, and otherwise why not; ctx is
	// the launch's. What it reads is what will run, so there is no time at which
	// the program could be exchanged afterwards.
	Verify(ctx context.Context, program *Program) error
}

// VerifyFunc is a function as a [Verifier], for signatures and whatever else an
// application trusts.
type VerifyFunc func(ctx context.Context, program *Program) error

// Verify calls the function.
func (f VerifyFunc) Verify(ctx context.Context, program *Program) error { return f(ctx, program) }

func (f VerifyFunc) validate() error {
	if f == nil {
		return errors.New("the VerifyFunc in Config.Verify.Verifier is nil")
	}
	return nil
}

// Program is the private copy of a program that is about to run, to be looked at
// by a [Verifier]. It is valid until Verify returns.
type Program struct {
	path string
	copy *programCopy
}

// Path is where the program was found: absolute, and with the links that the
// configuration or PATH named. The file there may be another one by now.
func (p *Program) Path() string { return p.path }

// Reader reads the program from its beginning to its end. Each call returns a
// reader of its own.
func (p *Program) Reader() *io.SectionReader {
	return io.NewSectionReader(p.copy.sealed, 0, p.copy.sealed.Size())
}

// Sum returns the program's sum. It is computed once as long as the copy is kept,
// which a [ProgramCache] does beyond this launch. A hash that is not linked into
// this program is a *[HashError]; the end of ctx ends the computing.
func (p *Program) Sum(ctx context.Context, hash crypto.Hash) ([]byte, error) {
	if err := checkHash(hash); err != nil {
		return nil, err
	}
	return p.copy.sum(ctx, hash)
}

// checksum is what [Checksum] returns.
type checksum struct {
	hash crypto.Hash
	want []byte
}

// Checksum lets a program run whose sum is the given one, typically of
// [crypto.SHA256]. Another program is a *[ChecksumError].
//
// A launch with a sum that cannot be one of the hash, or a hash that is not
// linked into this program (a *[HashError]), fails before anything is looked at.
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

// ChecksumError says that a program is not the one that was meant. It did not
// run.
type ChecksumError struct {
	// Path is where the program was found.
	Path string
	// Hash is what the sums are of.
	Hash crypto.Hash
	// Want is the sum that was expected, Got the one that the program has.
	Want, Got []byte
}

func (e *ChecksumError) Error() string {
	return fmt.Sprintf("the program %q has the %v sum %s, and %s was expected: it is not what was meant "+
		"(install it again, or correct the expected sum)",
		e.Path, e.Hash, hex.EncodeToString(e.Got), hex.EncodeToString(e.Want))
}

// HashError says that a sum was to be made by a hash that this program does not
// have.
type HashError struct {
	// Hash is the one that was asked for.
	Hash crypto.Hash
}

func (e *HashError) Error() string {
	return fmt.Sprintf("the hash %v is not linked into this program: import its package, "+
		"as in import _ \"crypto/sha256\"", e.Hash)
}

func checkHash(hash crypto.Hash) error {
	if !hash.Available() {
		return &HashError{Hash: hash}
	}
	return nil
}
