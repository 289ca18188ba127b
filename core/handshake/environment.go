package handshake

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// The variables of the protocol; the package comment says what each holds.
const (
	EnvProtocolVersions = "PLUGIN_PROTOCOL_VERSIONS"
	EnvMinPort          = "PLUGIN_MIN_PORT"
	EnvMaxPort          = "PLUGIN_MAX_PORT"
	EnvClientCert       = "PLUGIN_CLIENT_CERT"
	EnvMultiplexGRPC    = "PLUGIN_MULTIPLEX_GRPC"
	EnvSocketDir        = "PLUGIN_UNIX_SOCKET_DIR"
	EnvSocketGroup      = "PLUGIN_UNIX_SOCKET_GROUP"

	// EnvFields is an extension of ours (protocol §10).
	EnvFields = "PLUGIN_HANDSHAKE_FIELDS"
)

// The TCP port range that a host sends when its settings name none.
const (
	DefaultMinPort = 10000
	DefaultMaxPort = 25000
)

// Names returns the names of all the variables, extensions included: what a
// plugin unsets once it has read them, and what [Strip] removes. The slice is
// the caller's.
func Names() []string {
	return []string{
		EnvProtocolVersions, EnvMinPort, EnvMaxPort, EnvClientCert,
		EnvMultiplexGRPC, EnvSocketDir, EnvSocketGroup, EnvFields,
	}
}

// Environment is what a host tells a plugin through variables (protocol §1),
// beside the magic cookie.
type Environment struct {
	// Versions are the application versions that the host knows, in any order.
	// Empty on the plugin's side: an old host that sent no list.
	Versions []int
	// MinPort and MaxPort are the inclusive range of TCP ports that the plugin
	// may use if it listens on TCP. Both zero: a host sends 10000 and 25000, a
	// plugin lets the system pick.
	MinPort, MaxPort int
	// ClientCert is the host's certificate, PEM. Empty: no mutual TLS wanted. It
	// is not verified to be a certificate.
	ClientCert string
	// Multiplex is the value of PLUGIN_MULTIPLEX_GRPC as it stands. Empty: the
	// host did not ask, and the plugin writes no seventh field on its account.
	Multiplex string
	// SocketDir is the directory for the plugin's sockets. Empty: the plugin's
	// choice.
	SocketDir string
	// SocketGroup is the name or the number of the group that may connect to
	// the plugin's sockets. Empty: none.
	SocketGroup string
	// Fields are the names of the extension fields that the host asks for, such
	// as [FieldVersions]. Empty: none. Names that are not well formed are
	// neither sent nor returned.
	Fields []string
}

// ReadEnvironment is the plugin's side: it reads the variables through lookup,
// which is os.LookupEnv in a program and a map in a test. A variable that is
// empty counts as unset.
//
// The Environment is usable even when there is an error, which is one or several
// [*EnvironmentError] joined: what is wrong then has its unset value. So a plugin
// that listens on a unix socket can ignore a port range that makes no sense, as
// go-plugin's plugins do.
func ReadEnvironment(lookup func(string) (string, bool)) (Environment, error) {
	get := func(name string) string {
		value, _ := lookup(name)
		return value
	}
	env := Environment{
		Versions:    ParseVersions(get(EnvProtocolVersions)),
		Multiplex:   get(EnvMultiplexGRPC),
		SocketDir:   get(EnvSocketDir),
		SocketGroup: get(EnvSocketGroup),
		Fields:      parseNames(get(EnvFields)),
	}
	var certErr, portErr error
	env.ClientCert, certErr = readCert(get(EnvClientCert))
	env.MinPort, env.MaxPort, portErr = readPorts(get(EnvMinPort), get(EnvMaxPort))
	return env, errors.Join(certErr, portErr)
}

// readCert bounds the host's certificate by what a line could answer.
func readCert(pem string) (string, error) {
	if len(pem) > MaxLine {
		return "", environmentError(EnvClientCert, pem,
			fmt.Sprintf("is %d bytes long, and a certificate has at most %d", len(pem), MaxLine))
	}
	return pem, nil
}

// readPorts reads the port range; both ports are zero unless the range is good.
func readPorts(minValue, maxValue string) (minPort, maxPort int, err error) {
	minPort, minErr := readPort(EnvMinPort, minValue)
	maxPort, maxErr := readPort(EnvMaxPort, maxValue)
	if minErr != nil || maxErr != nil {
		return 0, 0, errors.Join(minErr, maxErr)
	}
	if minPort > maxPort {
		return 0, 0, environmentError(EnvMinPort, minValue,
			fmt.Sprintf("is above %s=%d: the host must send a range", EnvMaxPort, maxPort))
	}
	return minPort, maxPort, nil
}

func readPort(name, value string) (int, error) {
	if value == "" {
		return 0, nil
	}
	port, ok := decimal(value, math.MaxUint16)
	if !ok {
		return 0, environmentError(name, value, "is not a port: the host must send a decimal number from 0 to 65535")
	}
	return port, nil
}

// Variables is the host's side: the variables as "name=value", in the order of
// [Names]. The version list and the port range are always among them, the others
// when they have a value. They belong after what the child inherits.
func (e Environment) Variables() []string {
	minPort, maxPort := e.MinPort, e.MaxPort
	if minPort == 0 && maxPort == 0 {
		minPort, maxPort = DefaultMinPort, DefaultMaxPort
	}
	variables := []string{
		EnvProtocolVersions + "=" + FormatVersions(e.Versions),
		EnvMinPort + "=" + strconv.Itoa(minPort),
		EnvMaxPort + "=" + strconv.Itoa(maxPort),
	}
	add := func(name, value string) {
		if value != "" {
			variables = append(variables, name+"="+value)
		}
	}
	add(EnvClientCert, e.ClientCert)
	add(EnvMultiplexGRPC, e.Multiplex)
	add(EnvSocketDir, e.SocketDir)
	add(EnvSocketGroup, e.SocketGroup)
	add(EnvFields, formatNames(e.Fields))
	return variables
}

// Asks reports whether the host asked for the extension field of that name.
func (e Environment) Asks(field string) bool {
	return slices.Contains(e.Fields, field)
}

// Strip returns environ without the variables of the protocol, for a host whose
// own environment may hold some: a host that is a plugin itself, or was started
// from one. Order is kept and environ is not changed. Names are compared as the
// platform compares them, which on Windows is without regard to case.
func Strip(environ []string) []string {
	names := Names()
	kept := make([]string, 0, len(environ))
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		if !slices.ContainsFunc(names, func(n string) bool { return sameName(n, name) }) {
			kept = append(kept, variable)
		}
	}
	return kept
}

func environmentError(name, value, reason string) *EnvironmentError {
	return &EnvironmentError{Name: name, Value: clip(value), Reason: reason}
}
