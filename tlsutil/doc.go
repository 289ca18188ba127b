// Package tlsutil lets a host and a plugin authenticate each other with TLS (protocol §3),
// in one of two ways.
//
// For a single launch, without any key on disk: each side makes an [Identity] and tells the
// other side its certificate. From then on each side accepts only the holder of the
// certificate it received.
//
//	own, err := tlsutil.NewIdentity()     // tell the other side own.PEM() or own.Field()
//	peer, err := tlsutil.ParsePEM(sent)   // the other side's certificate; or ParseField
//	dialing := tlsutil.Client(own, peer)
//	serving := tlsutil.Server(own, peer)
//
// Hosts and plugins built on core do this automatically (host.Config.AutoMTLS).
//
// With your own certificates: [Files] builds both configurations from PEM files, for the
// TLS provider of a host or a plugin.
//
// The package needs only the standard library, and works with GODEBUG=fips140=only.
package tlsutil
