// Package verify decides whether a plugin's program may run, and makes sure that the
// verified content runs.
//
// A [Config] stands in core/host's Config.Verify. Its [Verifier] is [Checksum],
// [SumsFile], or a [Func] for signatures. It looks at a sealed copy of the program,
// and that copy runs. A [Cache] keeps copies and their sums for later launches.
package verify

import (
	"context"
	"crypto"
	_ "crypto/sha256" // for most sums
	_ "crypto/sha512" // and most of the others
	"errors"
	"fmt"
	"io"
	"os"
)

// Config is how programs are verified before they run. The zero value runs any
// program. Without a Verifier the other fields are refused.
type Config struct {
	// Verifier decides whether a program may run: [Checksum], [SumsFile], or a [Func]
	// for signatures. It reads a sealed copy of the program, and that copy runs. So
	// neither a replacement of the file nor a write into it can get between the check
	// and the start. Nil: the file at the path runs unchecked.
	//
	// The plugin's argument 0 stays as in the command. Its os.Executable is the copy,
	// on Linux perhaps in memory and without a path. A plugin that looks for files
	// beside its program must be told where they are. A runner of the caller's own
	// gets a command with the path of a copy. The attributes of the process must not
	// have a Chroot.
	Verifier Verifier

	// Cache keeps the copies of verified programs, so later launches are as fast as
	// without verification. Nil: each launch makes its own copy.
	Cache *Cache

	// Dirs are directories for the copies, as files; the first fit one gets them, see
	// [SealConfig]. Empty: on Linux a program of up to [MaxMemoryCopy] bytes is
	// copied into memory. Larger ones and scripts there, and all programs elsewhere,
	// are copied into the system's directory for temporary files, or the user's for
	// caches. If neither is fit, a larger program is copied into memory too.
	Dirs []string

	// MaxBytes bounds the size of a program, in bytes. A larger file is a
	// *[SizeError], before anything of it is read or copied. Zero:
	// [DefaultMaxBytes]. Below zero is refused.
	MaxBytes int64
}

// Validate reports why the configuration is unusable.
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

// Target describes the process that is to run a program.
type Target struct {
	// InFile asks for a copy in a file, for a runner that needs a path.
	InFile bool
	// Shared lets other users run the copy, for a process of another user.
	Shared bool
}

// Approve makes a sealed copy of an open program, or takes it from the cache, and
// asks the verifier. The caller releases the copy once nothing runs from it. An error
// other than the end of ctx wraps the verifier's.
func (c Config) Approve(ctx context.Context, program *os.File, target Target) (*Approved, error) {
	shared, err := c.Cache.seal(ctx, program, SealConfig{
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
			c.Cache.reject(shared)
			shared.release()
		}
	}()
	if err := c.Verifier.Verify(ctx, &Program{path: program.Name(), copy: shared}); err != nil {
		if hasEnded(ctx, err) {
			return nil, err // the verifier has not come to an answer
		}
		return nil, fmt.Errorf("the program may not run: %w", err)
	}
	approved = true
	c.Cache.approve(shared)
	return &Approved{copy: shared}, nil
}

// hasEnded reports whether an error is the end of a context.
func hasEnded(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx)))
}

// Approved is the sealed copy of an approved program.
type Approved struct{ copy *sharedCopy }

// Sealed returns the copy for runner.Command.Sealed.
func (a *Approved) Sealed() *Sealed { return a.copy.sealed }

// Release gives up the copy; a cache may keep it. It is called once; on nil it does
// nothing.
func (a *Approved) Release() {
	if a != nil {
		a.copy.release()
	}
}

// Verifier decides whether a program may run. It may be used by many launches at
// the same time, and again and again: those of this package keep nothing of one
// program for the next.
type Verifier interface {
	// Verify returns nil if the program may run, and otherwise the reason. ctx is the
	// launch's. The content to read is the content to run, so the program cannot be
	// replaced afterwards.
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

// Program is the sealed copy of a program before its start, for a [Verifier]. It is
// valid until Verify returns.
type Program struct {
	path string
	copy *sharedCopy
}

// Path is the absolute path of the program, with the links of the configuration or
// PATH. The file there may be another one by now.
func (p *Program) Path() string { return p.path }

// Reader reads the program from its beginning to its end. Each call returns a
// reader of its own.
func (p *Program) Reader() *io.SectionReader {
	return io.NewSectionReader(p.copy.sealed, 0, p.copy.sealed.Size())
}

// Sum returns the program's sum. It is computed once as long as the copy is kept; a
// [Cache] keeps it beyond this launch. A hash that is not linked into this program is
// a *[HashError]; the end of ctx ends the computing.
func (p *Program) Sum(ctx context.Context, hash crypto.Hash) ([]byte, error) {
	if err := checkHash(hash); err != nil {
		return nil, err
	}
	return p.copy.sum(ctx, hash)
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
	return fmt.Sprintf("the program %q has %d bytes, and at most %d are allowed: install the right program", e.Path, e.Size, e.Max)
}

// DeveloperHint names the setting, for core.Hint.
func (e *SizeError) DeveloperHint() string {
	return "Config.Verify.MaxBytes allows for larger programs"
}
