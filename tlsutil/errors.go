package tlsutil

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"time"
)

// CertificateError reports malformed or unsupported certificate data from the other side.
type CertificateError struct {
	// Err is the reason.
	Err error
}

func (e *CertificateError) Error() string {
	return fmt.Sprintf("unusable certificate: %v", e.Err)
}

// Unwrap returns the reason.
func (e *CertificateError) Unwrap() error { return e.Err }

// ValidityError says that a certificate has expired, or is not valid yet.
type ValidityError struct {
	// NotBefore and NotAfter are the certificate's dates.
	NotBefore, NotAfter time.Time
	// Now is the time of the check.
	Now time.Time
}

func (e *ValidityError) Error() string {
	now := e.Now.UTC().Format(time.RFC3339)
	if e.Now.Before(e.NotBefore) {
		return fmt.Sprintf("the certificate is not valid before %s, and it is now %s: compare the clocks of both sides",
			e.NotBefore.UTC().Format(time.RFC3339), now)
	}
	return fmt.Sprintf("the certificate expired at %s, and it is now %s", e.NotAfter.UTC().Format(time.RFC3339), now)
}

func checkValidity(certificate *x509.Certificate) error {
	now := time.Now()
	if now.Before(certificate.NotBefore) || now.After(certificate.NotAfter) {
		return &ValidityError{NotBefore: certificate.NotBefore, NotAfter: certificate.NotAfter, Now: now}
	}
	return nil
}

// PinError reports that the other end of a connection presented a certificate other than
// the announced one: it is a different program.
type PinError struct {
	// Announced and Got are the certificates' SHA-256 sums. Got is zero if the other end
	// presented none.
	Announced, Got [sha256.Size]byte
}

func (e *PinError) Error() string {
	return fmt.Sprintf("the other side's certificate is not the announced one (SHA-256 announced %x, presented %x): "+
		"refuse the connection, it comes from a different program", e.Announced, e.Got)
}

func newPinError(announced *x509.Certificate, got []*x509.Certificate) *PinError {
	e := &PinError{Announced: sha256.Sum256(announced.Raw)}
	if len(got) > 0 {
		e.Got = sha256.Sum256(got[0].Raw)
	}
	return e
}

// FilesError reports an unusable file of [Files].
type FilesError struct {
	// What is the field of Files; Path is the path of the file.
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
