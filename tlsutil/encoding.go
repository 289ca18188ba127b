package tlsutil

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// MaxCertificate is the longest certificate that is read, in bytes of DER.
const MaxCertificate = 16 << 10

// The same as text. PEM has a newline for each 64 characters and two lines more.
const (
	maxField = MaxCertificate/3*4 + 4
	maxPEM   = maxField + maxField/32 + 128
)

const pemType = "CERTIFICATE"

// fieldEncoding is that of the handshake's sixth field (protocol §2).
var fieldEncoding = base64.RawStdEncoding.Strict()

// DER returns a copy of the certificate.
func (i *Identity) DER() []byte { return bytes.Clone(i.der()) }

func (i *Identity) der() []byte { return i.certificate.Certificate[0] }

// PEM returns the certificate as a host announces it, in PLUGIN_CLIENT_CERT.
func (i *Identity) PEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: i.der()}))
}

// Field returns the certificate as a plugin announces it, in the sixth field of
// the handshake line.
func (i *Identity) Field() string { return fieldEncoding.EncodeToString(i.der()) }

// ParsePEM reads the certificate that a host announced: one block, with nothing
// but white space around it. What is none is a [CertificateError], what is out of
// date a [ValidityError].
func ParsePEM(text string) (*x509.Certificate, error) {
	if len(text) > maxPEM {
		return nil, tooLong(len(text), maxPEM)
	}
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "-----BEGIN "+pemType+"-----") {
		return nil, &CertificateError{Err: errors.New("it does not begin as a certificate in PEM does")}
	}
	if strings.Count(text, "-----BEGIN") > 1 { // the decoder would skip a first block that it cannot read
		return nil, &CertificateError{Err: errors.New("another block follows: there must be one certificate, without its chain")}
	}
	block, rest := pem.Decode([]byte(text))
	switch {
	case block == nil || block.Type != pemType:
		return nil, &CertificateError{Err: errors.New("it is not PEM")}
	case len(block.Headers) > 0:
		return nil, &CertificateError{Err: errors.New("it has PEM headers")}
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, &CertificateError{Err: errors.New("something follows the certificate: there must be one, without its chain")}
	}
	return ParseDER(block.Bytes)
}

// ParseField reads the certificate that a plugin announced: unpadded base64 with
// the standard alphabet. The errors are those of [ParsePEM].
func ParseField(text string) (*x509.Certificate, error) {
	if len(text) > maxField {
		return nil, tooLong(len(text), maxField)
	}
	if strings.ContainsAny(text, "\r\n") { // which the decoder would skip
		return nil, &CertificateError{Err: errors.New("it has a line break in it")}
	}
	der, err := fieldEncoding.DecodeString(text)
	if err != nil {
		return nil, &CertificateError{Err: err}
	}
	return ParseDER(der)
}

// ParseDER reads a certificate that the other side announced, with its sixth
// field decoded. The errors are those of [ParsePEM].
func ParseDER(der []byte) (*x509.Certificate, error) {
	if len(der) > MaxCertificate {
		return nil, tooLong(len(der), MaxCertificate)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, &CertificateError{Err: err}
	}
	switch certificate.PublicKey.(type) {
	case *ecdsa.PublicKey, *rsa.PublicKey, ed25519.PublicKey:
	default:
		return nil, &CertificateError{Err: fmt.Errorf("its key is of a kind that TLS has no use for (%v)", certificate.PublicKeyAlgorithm)}
	}
	if err := checkValidity(certificate); err != nil {
		return nil, err
	}
	return certificate, nil
}

func tooLong(length, limit int) error {
	return &CertificateError{Err: fmt.Errorf("it has %d bytes, and may have %d", length, limit)}
}
