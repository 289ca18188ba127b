package shared

// Both sides must agree on these before the first byte.
const (
	// CookieKey and CookieValue are the handshake's cookie (protocol §1).
	CookieKey   = "JACKFIELD_CONFORMANCE"
	CookieValue = "5d1ae3f80c94"

	// PluginName is the name under which every peer offers the probe.
	PluginName = "probe"

	// VersionsVariable sets a plugin program's application versions, for programs without a
	// command line: see [ParseVersions] for the form. A flag on the command line takes
	// precedence.
	VersionsVariable = "JACKFIELD_CONFORMANCE_VERSIONS"
)

// service is the name of the net/rpc service on every brokered connection.
const service = "Plugin"
