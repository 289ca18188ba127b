// Package tlsutil is how a host and a plugin know each other under TLS
// (protocol §3), in one of two ways.
//
// For one launch, without any key on a disk: each side makes an [Identity],
// tells the other its certificate, and from then on talks to nobody but the
// holder of the certificate that it was told.
//
//	own, err := tlsutil.NewIdentity()     // tell the other side own.PEM() or own.Field()
//	peer, err := tlsutil.ParsePEM(sent)   // what the other side told; or ParseField
//	dialing := tlsutil.Client(own, peer)
//	serving := tlsutil.Server(own, peer)
//
// Hosts and plugins built on core do this by themselves (host.Config.AutoMTLS).
//
// With certificates of one's own: [Files] makes both configurations from PEM
// files, for the TLS provider of a host or a plugin.
//
// The package needs the standard library alone, and works with
// GODEBUG=fips140=only.
package tlsutil
