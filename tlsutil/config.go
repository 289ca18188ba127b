package tlsutil

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
)

// Client returns a configuration for own to dial the holder of peer. Every other peer fails
// with a [PinError]. The caller may change the configuration.
//
// Client does not check peer's contents: neither its dates (the parser checked them), nor
// its names, nor its CA mark. Go chooses the key-exchange groups, because gRPC's C core
// accepts only P-256.
func Client(own *Identity, peer *x509.Certificate) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{own.certificate},
		ServerName:   ServerName,
		MinVersion:   tls.VersionTLS12,
		// A pinned certificate replaces the chain: VerifyConnection compares certificates
		// for equality, and nothing signed by peer is trusted. TLS still makes the other
		// side prove possession of the key.
		InsecureSkipVerify: true, //nolint:gosec // verified by VerifyConnection
		VerifyConnection:   pin(peer),
		// Brokered connections resume the session of the main connection.
		ClientSessionCache: tls.NewLRUClientSessionCache(1),
	}
}

// Server returns a configuration for own to serve the holder of peer. Everything else is as
// in [Client].
func Server(own *Identity, peer *x509.Certificate) *tls.Config {
	config := &tls.Config{
		Certificates:     []tls.Certificate{own.certificate},
		ClientAuth:       tls.RequireAnyClientCert, // VerifyConnection pins it
		MinVersion:       tls.VersionTLS12,
		VerifyConnection: pin(peer),
	}
	// Each server of a broker has a copy of the configuration. Copies do not share
	// automatically generated ticket keys, so set one explicitly.
	var key [32]byte
	_, _ = rand.Read(key[:]) // does not fail
	config.SetSessionTicketKeys([][32]byte{key})
	return config
}

// pin accepts only connections with the certificate peer. TLS calls it for resumed
// connections too, with the certificate of the original connection.
func pin(peer *x509.Certificate) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 || !bytes.Equal(state.PeerCertificates[0].Raw, peer.Raw) {
			return newPinError(peer, state.PeerCertificates)
		}
		return nil
	}
}
