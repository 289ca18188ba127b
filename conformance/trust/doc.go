// Package trust attacks plugins as an unauthorized process of the same user, because file
// modes do not keep it out. It tries without TLS, with TLS but no certificate, and with its
// own certificate. It covers every transport, both ends, and brokered connections.
package trust
