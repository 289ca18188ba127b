// Package sums holds SHA-256 checksums of files: of one file, and of the lists in
// releases under the name SHA256SUMS.
//
//	list, err := sums.Read("dist/SHA256SUMS") // the good lines, also with an error
//	err = list.Check("dist/greet-plugin-loud_v1.4.0_linux_amd64")
//
// A list has the format of sha256sum: a sum in hexadecimal digits, a space, another
// one or an asterisk, and a name. The format of BSD's tools and "sha256sum --tag" is
// read too.
package sums

import (
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/jackfield-go/jackfield/discovery/internal/files"
	"github.com/jackfield-go/jackfield/discovery/internal/text"
)

// Sum is a SHA-256 checksum. The zero value is none: no file is known to have
// it.
type Sum [sha256.Size]byte

var errSum = errors.New("it must be 64 hexadecimal digits")

// Parse reads a sum in hexadecimal digits, capitals or not.
func Parse(text string) (Sum, error) {
	var s Sum
	if len(text) != hex.EncodedLen(len(s)) {
		return Sum{}, fmt.Errorf("a SHA-256 sum of %d characters: %w", len(text), errSum)
	}
	if _, err := hex.Decode(s[:], []byte(text)); err != nil {
		return Sum{}, fmt.Errorf("SHA-256 sum %q: %w", text, errSum)
	}
	return s, nil
}

// Of returns the sum of data.
func Of(data []byte) Sum { return sha256.Sum256(data) }

// OfReader returns the sum of all of r.
func OfReader(r io.Reader) (Sum, error) {
	hash := sha256.New()
	if _, err := io.Copy(hash, r); err != nil {
		return Sum{}, err
	}
	return Sum(hash.Sum(nil)), nil
}

// OfFile returns the sum of a regular file. Anything else is an error: a pipe without
// a writer, for instance, has no beginning or no end.
func OfFile(path string) (Sum, error) {
	file, err := files.Open(path)
	if err != nil {
		return Sum{}, err
	}
	defer file.Close()
	return OfReader(file)
}

// IsZero reports whether there is no sum.
func (s Sum) IsZero() bool { return s == Sum{} }

// String returns the sum in hexadecimal digits, or "" for none.
func (s Sum) String() string {
	if s.IsZero() {
		return ""
	}
	return hex.EncodeToString(s[:])
}

// Hash returns the algorithm and the sum as bytes, for APIs with any algorithm: a
// host's verified launch.
func (s Sum) Hash() (crypto.Hash, []byte) { return crypto.SHA256, s[:] }

// MarshalText returns String.
func (s Sum) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a text as Parse does, and "" as none.
func (s *Sum) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*s = Sum{}
		return nil
	}
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}

// MismatchError says that a file has another sum than expected.
type MismatchError struct {
	// Path is the file.
	Path string
	// Want is the expected sum, Got the file's.
	Want, Got Sum
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("%s is not the expected file: its SHA-256 is %v, and should be %v", text.Line(e.Path, shownFile), e.Got, e.Want)
}

// Check compares the sum of a file with the expected one. If they differ the error is
// a *[MismatchError].
func Check(path string, want Sum) error {
	got, err := OfFile(path)
	if err != nil {
		return err
	}
	if got != want {
		return &MismatchError{Path: path, Want: want, Got: got}
	}
	return nil
}
