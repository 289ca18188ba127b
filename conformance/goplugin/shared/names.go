package shared

// What both sides must agree on before a byte crosses the wire.
const (
	// CookieKey and CookieValue are the handshake's cookie (protocol §1).
	CookieKey   = "JACKFIELD_CONFORMANCE"
	CookieValue = "5d1ae3f80c94"

	// PluginName is the name under which every peer offers the probe.
	PluginName = "probe"

	// VersionsVariable tells a plugin program which application versions to
	// serve, where its command line cannot: see [ParseVersions] for the form.
	// A flag on the command line wins over it.
	VersionsVariable = "JACKFIELD_CONFORMANCE_VERSIONS"
)

// service is the name net/rpc services carry on every brokered connection.
const service = "Plugin"
