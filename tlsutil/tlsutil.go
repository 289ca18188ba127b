// Package tlsutil makes the certificates with which a host and a plugin know
// each other (protocol §3): each side makes an [Identity] for one connection,
// tells the other its certificate, and trusts nothing but the one that it was
// told.
package tlsutil

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// ServerName is the name in every certificate, and the one that both sides
// check.
const ServerName = "localhost"

// maxCertificate bounds a certificate that the other side sent, in bytes.
const maxCertificate = 16 << 10

// validity is how long a certificate can be used, and how far back it reaches
// for clocks that disagree (in a container, say).
const (
	validity = 30 * 24 * time.Hour
	backdate = time.Hour
)

// Identity is a key pair and its certificate, for one use.
type Identity struct {
	certificate tls.Certificate
}

// NewIdentity makes an identity: an ECDSA key on P-256 and a self-signed leaf
// for ServerName, which every TLS library accepts on either side.
func NewIdentity() (*Identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: ServerName, Organization: []string{"Jackfield"}},
		DNSNames:              []string{ServerName},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(validity),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	return &Identity{certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}}, nil
}

// DER returns the certificate, as the plugin announces it.
func (i *Identity) DER() []byte { return i.certificate.Certificate[0] }

// PEM returns the certificate, as the host announces it.
func (i *Identity) PEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.DER()}))
}

// ParsePEM reads the certificate that a host announced.
func ParsePEM(text string) (*x509.Certificate, error) {
	if len(text) > 2*maxCertificate {
		return nil, fmt.Errorf("the certificate has %d bytes, which is more than any", len(text))
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("this is no certificate in PEM")
	}
	return ParseDER(block.Bytes)
}

// ParseDER reads the certificate that a plugin announced.
func ParseDER(der []byte) (*x509.Certificate, error) {
	if len(der) > maxCertificate {
		return nil, fmt.Errorf("the certificate has %d bytes, which is more than any", len(der))
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	return certificate, nil
}

// Client returns the configuration with which own dials whoever has peer's key.
func Client(own *Identity, peer *x509.Certificate) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{own.certificate},
		RootCAs:      only(peer),
		ServerName:   ServerName,
		MinVersion:   tls.VersionTLS12,
	}
}

// Server returns the configuration with which own serves whoever has peer's
// key, and nobody else.
func Server(own *Identity, peer *x509.Certificate) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{own.certificate},
		ClientCAs:    only(peer),
		ClientAuth:   tls.RequireAndVerifyClientCert,
		MinVersion:   tls.VersionTLS12,
	}
}

func only(certificate *x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(certificate)
	return pool
}
