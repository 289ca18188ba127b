package tlsutil

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"time"
)

// CertificateError says that what the other side announced cannot be used as a
// certificate.
type CertificateError struct {
	// Err is what is wrong with it.
	Err error
}

func (e *CertificateError) Error() string {
	return fmt.Sprintf("this is no certificate that can be used: %v", e.Err)
}

// Unwrap returns what is wrong.
func (e *CertificateError) Unwrap() error { return e.Err }

// ValidityError says that a certificate has expired, or is not valid yet.
type ValidityError struct {
	// NotBefore and NotAfter are the certificate's dates.
	NotBefore, NotAfter time.Time
	// Now is when it was looked at.
	Now time.Time
}

func (e *ValidityError) Error() string {
	now := e.Now.UTC().Format(time.RFC3339)
	if e.Now.Before(e.NotBefore) {
		return fmt.Sprintf("the certificate is not valid before %s, and now it is %s: compare the clocks of both sides",
			e.NotBefore.UTC().Format(time.RFC3339), now)
	}
	return fmt.Sprintf("the certificate has expired at %s, and now it is %s", e.NotAfter.UTC().Format(time.RFC3339), now)
}

func checkValidity(certificate *x509.Certificate) error {
	now := time.Now()
	if now.Before(certificate.NotBefore) || now.After(certificate.NotAfter) {
		return &ValidityError{NotBefore: certificate.NotBefore, NotAfter: certificate.NotAfter, Now: now}
	}
	return nil
}

// PinError says that the other end of a connection proved itself with another
// certificate than the one that it had announced: it is somebody else.
type PinError struct {
	// Announced and Got are the SHA-256 sums of the certificates. Got is zero if
	// there was none.
	Announced, Got [sha256.Size]byte
}

func (e *PinError) Error() string {
	return fmt.Sprintf("the other side answered with another certificate than it had announced (SHA-256 announced %x, answered %x): "+
		"it is not who it should be", e.Announced, e.Got)
}

func newPinError(announced *x509.Certificate, got []*x509.Certificate) *PinError {
	e := &PinError{Announced: sha256.Sum256(announced.Raw)}
	if len(got) > 0 {
		e.Got = sha256.Sum256(got[0].Raw)
	}
	return e
}

// FilesError says which of [Files] cannot be used.
type FilesError struct {
	// What the file is for, and its path.
	What, Path string
	// Err is the reason.
	Err error
}

func (e *FilesError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("TLS from files: %s: %v", e.What, e.Err)
	}
	return fmt.Sprintf("TLS from files: %s %s: %v", e.What, e.Path, e.Err)
}

// Unwrap returns the reason.
func (e *FilesError) Unwrap() error { return e.Err }
