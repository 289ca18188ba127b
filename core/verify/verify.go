// Package verify decides whether a plugin's program may run, and sees to it that
// what was verified is what runs.
//
// A [Config] stands in core/host's Config.Verify. Its [Verifier] is [Checksum],
// [SumsFile], or a [Func] for signatures. It looks at a private copy of the
// program, and that copy runs. A [Cache] keeps copies and their sums for later
// launches.
package verify

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
	"os"
	"slices"
)

// Config is how programs are verified before they run. The zero value runs any
// program. Without a Verifier the other fields are refused.
type Config struct {
	// Verifier decides whether a program may run: [Checksum], [SumsFile], or a
	// [Func] for signatures. It is shown a private copy of the program, and
	// that copy is what runs, so that neither an exchange of the file nor a write
	// into it can get between the look and the start. Nil: whatever is there runs.
	//
	// The plugin's argument 0 stays what the command says. Its os.Executable is the
	// copy, which on Linux may be in memory and have no path; a plugin that looks
	// for files beside its program needs to be told where they are. With a runner of
	// the caller's own, the command that this gets has the path of a copy. The
	// attributes of the process must not have a Chroot.
	Verifier Verifier

	// Cache keeps the copies of verified programs, so that launches after the
	// first are as fast as without verification. Nil: each launch makes its own.
	Cache *Cache

	// Dirs are directories of which the first that is fit for it gets the
	// copies, as files; see [SealConfig]. Empty: on Linux a program of up to
	// [MaxMemoryCopy] bytes is copied into memory; larger ones and scripts
	// there, and everything elsewhere, into the system's directory for temporary
	// files, or the user's for caches; a larger one for which neither is fit into
	// memory, too.
	Dirs []string

	// MaxBytes bounds the size of a program, in bytes. A larger file is a
	// *[SizeError], before anything of it is read or copied. Zero:
	// [DefaultMaxBytes]. Below zero is refused.
	MaxBytes int64
}

// Validate reports what makes the configuration unusable.
func (c Config) Validate() error {
	switch {
	case c.Verifier == nil && c.Cache != nil:
		return errors.New("there is a Config.Verify.Cache and no Verifier beside it: only verified programs are kept")
	case c.Verifier == nil && len(c.Dirs) > 0:
		return errors.New("there are Config.Verify.Dirs and no Verifier beside them: only verified programs are copied there")
	case c.Verifier == nil && c.MaxBytes != 0:
		return errors.New("there is a Config.Verify.MaxBytes and no Verifier beside it: only verified programs are copied")
	case c.MaxBytes < 0:
		return fmt.Errorf("invalid Config.Verify.MaxBytes %d: it is below 0 (0 means %d)", c.MaxBytes, int64(DefaultMaxBytes))
	}
	if v, ok := c.Verifier.(interface{ validate() error }); ok {
		return v.validate()
	}
	return nil
}

// Target is what is to run a program.
type Target struct {
	// InFile asks for a copy that is a file, for what needs a path.
	InFile bool
	// Shared lets other users run the copy, for a process that runs as another user.
	Shared bool
}

// Approve makes a private copy of an open program, or takes the one in the cache,
// and asks the verifier. The caller releases the copy once nothing runs from it.
// An error that is not that of ctx's end wraps the verifier's.
func (c Config) Approve(ctx context.Context, program *os.File, target Target) (*Approved, error) {
	copied, err := c.Cache.seal(ctx, program, SealConfig{
		Dirs:     c.Dirs,
		MaxBytes: c.MaxBytes,
		InFile:   target.InFile,
		Shared:   target.Shared,
	})
	if err != nil {
		return nil, err
	}
	approved := false
	defer func() {
		if !approved { // the verifier may panic
			c.Cache.reject(copied)
			copied.release()
		}
	}()
	if err := c.Verifier.Verify(ctx, &Program{path: program.Name(), copy: copied}); err != nil {
		if hasEnded(ctx, err) {
			return nil, err // the verifier has not come to an answer
		}
		return nil, fmt.Errorf("the program may not run: %w", err)
	}
	approved = true
	c.Cache.approve(copied)
	return &Approved{copy: copied}, nil
}

// hasEnded reports whether an error is that of a context's end.
func hasEnded(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx)))
}

// Approved is the private copy of a program that may run.
type Approved struct{ copy *copied }

// Sealed returns the copy for runner.Command.Sealed.
func (a *Approved) Sealed() *Sealed { return a.copy.sealed }

// Release gives up the copy, which a cache may keep. It is called once; on nil it
// does nothing.
func (a *Approved) Release() {
	if a != nil {
		a.copy.release()
	}
}

// Verifier decides whether a program may run. It may be used by many launches at
// the same time, and again and again: those of this package keep nothing of one
// program for the next.
type Verifier interface {
	// Verify returns nil if the program may run, and otherwise why not; ctx is
	// the launch's. What it reads is what will run, so there is no time at which
	// the program could be exchanged afterwards.
	Verify(ctx context.Context, program *Program) error
}

// Func is a function as a [Verifier], for signatures and whatever else an
// application trusts.
type Func func(ctx context.Context, program *Program) error

// Verify calls the function.
func (f Func) Verify(ctx context.Context, program *Program) error { return f(ctx, program) }

func (f Func) validate() error {
	if f == nil {
		return errors.New("the verify.Func in Config.Verify.Verifier is nil")
	}
	return nil
}

// Program is the private copy of a program that is about to run, to be looked at
// by a [Verifier]. It is valid until Verify returns.
type Program struct {
	path string
	copy *copied
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
// which a [Cache] does beyond this launch. A hash that is not linked into
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

// SizeError says that a program is larger than [Config.MaxBytes] allows. It was not
// copied and did not run.
type SizeError struct {
	// Path is where the program was found.
	Path string
	// Size is its size, and Max the largest allowed size, in bytes.
	Size, Max int64
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("the program %q has %d bytes, and Config.Verify.MaxBytes allows %d "+
		"(raise that if the program is meant)", e.Path, e.Size, e.Max)
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
