package tlsutil

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"
)

// ServerName is the name in every identity's certificate. Clients of the protocol ask for
// it (protocol §3).
const ServerName = "localhost"

// Validity is the lifetime of an identity's certificate. Peers built on go-plugin check the
// dates at each new connection, brokered ones included. So Validity also limits the time in
// which one launch of a plugin can open connections.
const Validity = 365 * 24 * time.Hour

// backdate moves the start of validity into the past, for machines with different clocks (a
// virtual machine, for example).
const backdate = time.Hour

// Identity is a key pair and its certificate, for one launch. The key is never written to a
// file, and leaves this process with [Identity.MarshalSecret] alone. An Identity is safe for
// concurrent use.
type Identity struct {
	certificate tls.Certificate
}

// NewIdentity makes an identity: an ECDSA key on P-256 and a self-signed leaf certificate
// for [ServerName]. The certificate is no CA and serves both ends of a connection. Every
// TLS library accepts this profile.
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
		SerialNumber:          serial.Add(serial, big.NewInt(1)), // RFC 5280: positive
		Subject:               pkix.Name{CommonName: ServerName, Organization: []string{"Jackfield"}},
		DNSNames:              []string{ServerName},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(Validity),
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
