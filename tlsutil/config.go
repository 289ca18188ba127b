package tlsutil

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
)

// Client returns the configuration with which own dials the holder of peer, and
// nobody else: anybody else is a [PinError]. It is the caller's to change.
//
// What peer says of itself has no part in it: neither its dates, which were
// looked at when it was read, nor its names, nor whether it is marked as a CA.
// Key-exchange groups are Go's own choice, as gRPC's C core takes only P-256.
func Client(own *Identity, peer *x509.Certificate) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{own.certificate},
		ServerName:   ServerName,
		MinVersion:   tls.VersionTLS12,
		// One certificate is trusted, not what it could sign: equality takes the
		// place of a chain. TLS still makes the other side prove that it has the key.
		InsecureSkipVerify: true, //nolint:gosec // verified by VerifyConnection
		VerifyConnection:   pin(peer),
		// Brokered connections begin with what the main one has settled already.
		ClientSessionCache: tls.NewLRUClientSessionCache(1),
	}
}

// Server returns the configuration with which own serves the holder of peer, and
// nobody else. It is Client's counterpart in all else.
func Server(own *Identity, peer *x509.Certificate) *tls.Config {
	config := &tls.Config{
		Certificates:     []tls.Certificate{own.certificate},
		ClientAuth:       tls.RequireAnyClientCert, // and only that one: VerifyConnection
		MinVersion:       tls.VersionTLS12,
		VerifyConnection: pin(peer),
	}
	// Keys that a configuration makes by itself are not its copies' too, and each
	// server of a broker has a copy.
	var key [32]byte
	_, _ = rand.Read(key[:]) // does not fail
	config.SetSessionTicketKeys([][32]byte{key})
	return config
}

// pin accepts connections with that one certificate. It is called for resumed
// ones too, with the certificate of the connection that is resumed.
func pin(peer *x509.Certificate) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 || !bytes.Equal(state.PeerCertificates[0].Raw, peer.Raw) {
			return newPinError(peer, state.PeerCertificates)
		}
		return nil
	}
}
