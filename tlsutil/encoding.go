package tlsutil

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// MaxCertificate is the size limit of a certificate, in bytes of DER. Parsing a longer one
// fails.
const MaxCertificate = 16 << 10

// These are the same limit for text. PEM adds a newline for each 64 characters, and two
// lines.
const (
	maxField = MaxCertificate/3*4 + 4
	maxPEM   = maxField + maxField/32 + 128
)

// The types of PEM blocks.
const (
	pemType = "CERTIFICATE"
	keyType = "PRIVATE KEY" // PKCS #8
)

// fieldEncoding is the encoding of the handshake's sixth field (protocol §2).
var fieldEncoding = base64.RawStdEncoding.Strict()

// DER returns a copy of the certificate.
func (i *Identity) DER() []byte { return bytes.Clone(i.der()) }

func (i *Identity) der() []byte { return i.certificate.Certificate[0] }

// PEM returns the certificate in the form that a host announces, in PLUGIN_CLIENT_CERT.
func (i *Identity) PEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: i.der()}))
}

// Field returns the certificate in the form that a plugin announces, in the sixth field of
// the handshake line.
func (i *Identity) Field() string { return fieldEncoding.EncodeToString(i.der()) }

// MarshalSecret returns the certificate and its key as PEM. It is a secret: its holder passes for
// this side.
func (i *Identity) MarshalSecret() (string, error) {
	key, err := x509.MarshalPKCS8PrivateKey(i.certificate.PrivateKey)
	if err != nil {
		return "", fmt.Errorf("encode a key: %w", err)
	}
	return i.PEM() + string(pem.EncodeToMemory(&pem.Block{Type: keyType, Bytes: key})), nil
}

// ParseIdentity reads the text of [Identity.MarshalSecret]. It returns the errors of [ParsePEM],
// whose texts show no part of the key.
func ParseIdentity(secret string) (*Identity, error) {
	if len(secret) > maxPEM {
		return nil, tooLong(len(secret), maxPEM)
	}
	const end = "-----END " + pemType + "-----\n"
	leaf, key, found := strings.Cut(secret, end)
	if !found {
		return nil, &CertificateError{Err: errors.New("the text is not a PEM certificate with its key")}
	}
	if _, err := ParsePEM(leaf + end); err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair([]byte(leaf+end), []byte(key))
	if err != nil {
		return nil, &CertificateError{Err: err}
	}
	return &Identity{certificate: pair}, nil
}

// ParsePEM reads a host's announced certificate: one block, with only white space around
// it. Malformed text returns a [CertificateError], an expired or not yet valid certificate
// a [ValidityError].
func ParsePEM(text string) (*x509.Certificate, error) {
	if len(text) > maxPEM {
		return nil, tooLong(len(text), maxPEM)
	}
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "-----BEGIN "+pemType+"-----") {
		return nil, &CertificateError{Err: errors.New("the text does not begin with a PEM certificate")}
	}
	if strings.Count(text, "-----BEGIN") > 1 { // the decoder would skip an unreadable first block
		return nil, &CertificateError{Err: errors.New("another block follows; send one certificate, without its chain")}
	}
	block, rest := pem.Decode([]byte(text))
	switch {
	case block == nil || block.Type != pemType:
		return nil, &CertificateError{Err: errors.New("the text is not PEM")}
	case len(block.Headers) > 0:
		return nil, &CertificateError{Err: errors.New("the PEM block has headers")}
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, &CertificateError{Err: errors.New("text follows the certificate; send one certificate, without its chain")}
	}
	return ParseDER(block.Bytes)
}

// ParseField reads a plugin's announced certificate: unpadded base64 with the standard
// alphabet. It returns the errors of [ParsePEM].
func ParseField(text string) (*x509.Certificate, error) {
	if len(text) > maxField {
		return nil, tooLong(len(text), maxField)
	}
	if strings.ContainsAny(text, "\r\n") { // the decoder would skip them
		return nil, &CertificateError{Err: errors.New("the field contains a line break")}
	}
	der, err := fieldEncoding.DecodeString(text)
	if err != nil {
		return nil, &CertificateError{Err: err}
	}
	return ParseDER(der)
}

// ParseDER reads the other side's certificate from the decoded sixth field. It returns the
// errors of [ParsePEM].
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
		return nil, &CertificateError{Err: fmt.Errorf("TLS does not support its key type (%v)", certificate.PublicKeyAlgorithm)}
	}
	if err := checkValidity(certificate); err != nil {
		return nil, err
	}
	return certificate, nil
}

func tooLong(length, limit int) error {
	return &CertificateError{Err: fmt.Errorf("size of %d bytes exceeds the limit of %d", length, limit)}
}
