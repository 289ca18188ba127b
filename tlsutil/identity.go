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

// ServerName is the name in every identity's certificate, and the one that the
// protocol's clients ask for (protocol §3).
const ServerName = "localhost"

// Validity is how long an identity's certificate can be used. Existing peers
// look at the dates at each new connection, brokered ones included, so this also
// bounds for how long one launch of a plugin can open them.
const Validity = 365 * 24 * time.Hour

// backdate is how far validity reaches back, for clocks that disagree (of a
// virtual machine, say).
const backdate = time.Hour

// Identity is a key pair and its certificate, for one use: the key is in no file
// and leaves this process in no encoding. It is safe for use by many goroutines.
type Identity struct {
	certificate tls.Certificate
}

// NewIdentity makes an identity: an ECDSA key on P-256 and a self-signed leaf
// for [ServerName], for both ends of a connection, that is no CA. It is the
// profile that every TLS library takes.
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
