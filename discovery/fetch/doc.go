// Package fetch installs plugins from addresses: a program or a release's archive
// over HTTPS, compared with its list of sums and, where the application has a key,
// a signature.
//
//	signatures, err := fetch.Minisign("RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3")
//	fetcher := fetch.Fetcher{Signatures: signatures}
//	item, err := fetcher.Install(ctx, plugins, fetch.Source{
//		Location: "https://plugins.example.com/loud/greet-plugin-loud_1.4.0_linux_amd64.tar.gz",
//	}, store.Install{Protocols: []int{5}})
//
// It is a package of its own so that a program that only searches for plugins does
// not link net/http.
//
// # Whose word counts
//
// The host in an address, and those in Fetcher.Hosts, are trusted for what they
// serve themselves. A redirect to another host says where the bytes are, and no more:
// what comes from there must be vouched for by something that does not, which is the
// caller's sum (store.Install.Want), a list of sums that the first host serves
// itself or that the caller has in a file, or a signature by the application's key. A
// list that another host served still has to fit, but vouches for nothing. No redirect
// leads from https to http.
package fetch
