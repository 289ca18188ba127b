package handshake

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// The variables of the protocol. The package comment describes their values.
const (
	EnvProtocolVersions = "PLUGIN_PROTOCOL_VERSIONS"
	EnvMinPort          = "PLUGIN_MIN_PORT"
	EnvMaxPort          = "PLUGIN_MAX_PORT"
	EnvClientCert       = "PLUGIN_CLIENT_CERT"
	EnvMultiplexGRPC    = "PLUGIN_MULTIPLEX_GRPC"
	EnvSocketDir        = "PLUGIN_UNIX_SOCKET_DIR"
	EnvSocketGroup      = "PLUGIN_UNIX_SOCKET_GROUP"

	// The following are extensions of ours (protocol §10).

	EnvFields   = "PLUGIN_HANDSHAKE_FIELDS"
	EnvLifeline = "PLUGIN_LIFELINE"
	EnvOutlive  = "PLUGIN_OUTLIVE"
)

// The TCP port range that a host sends when its settings leave the range empty.
const (
	DefaultMinPort = 10000
	DefaultMaxPort = 25000
)

// Names returns the names of all variables, extensions included. A plugin
// unsets them after reading them; [Strip] removes them. The caller owns the
// slice.
func Names() []string {
	return []string{
		EnvProtocolVersions, EnvMinPort, EnvMaxPort, EnvClientCert,
		EnvMultiplexGRPC, EnvSocketDir, EnvSocketGroup, EnvFields,
		EnvLifeline, EnvOutlive,
	}
}

// Environment holds the settings that a host passes to a plugin in variables
// (protocol §1), except for the magic cookie.
type Environment struct {
	// Versions are the application versions that the host knows, in any order.
	// Empty on the plugin's side: an old host that sent no list.
	Versions []int
	// MinPort and MaxPort are the inclusive range of TCP ports for a plugin
	// that listens on TCP. Both zero: a host sends 10000 and 25000, a plugin
	// lets the system pick.
	MinPort, MaxPort int
	// ClientCert is the host's certificate, PEM. Empty: no mutual TLS wanted.
	// The package does not verify it.
	ClientCert string
	// Multiplex is the unmodified value of PLUGIN_MULTIPLEX_GRPC. Empty: the
	// host did not ask for multiplexing, and the plugin writes no seventh field
	// for it.
	Multiplex string
	// SocketDir is the directory for the plugin's sockets. Empty: the plugin's
	// choice.
	SocketDir string
	// SocketGroup is the name or ID of the group allowed to connect to the
	// plugin's sockets. Empty: none.
	SocketGroup string
	// Fields are the names of the extension fields that the host asks for, for
	// example [FieldVersions]. Empty: none. Malformed names are neither sent
	// nor returned.
	Fields []string
	// FieldsFor is the application that asks for Fields, by the name of its cookie
	// (MagicCookieKey of core.Handshake). Variables are inherited: a plugin adds no
	// fields if another application asked. Empty: any application, as hosts without
	// this item ask. It is neither sent nor returned without Fields.
	FieldsFor string
	// Lifeline tells the plugin how to notice the end of its host: a file's name in
	// SocketDir, or without unix sockets the host's process ID. Empty: it cannot.
	// The package does not verify it.
	Lifeline string
	// Outlive permits the plugin to outlive the host.
	Outlive bool
}

// ReadEnvironment reads the variables on the plugin's side. Programs pass
// os.LookupEnv as lookup, tests a map's method. An empty variable counts as
// unset.
//
// The Environment is usable even with an error, and each invalid variable then
// has its unset value. The error joins one [*EnvironmentError] for each invalid
// variable. A plugin on a unix socket can thus ignore an invalid port range, as
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
		Lifeline:    get(EnvLifeline),
		Outlive:     get(EnvOutlive) == outlives,
	}
	env.Fields, env.FieldsFor = parseFieldRequest(get(EnvFields))
	var certErr, portErr error
	env.ClientCert, certErr = readCert(get(EnvClientCert))
	env.MinPort, env.MaxPort, portErr = readPorts(get(EnvMinPort), get(EnvMaxPort))
	return env, errors.Join(certErr, portErr)
}

// outlives is the only value of PLUGIN_OUTLIVE with a meaning.
const outlives = "true"

// readCert limits the host's certificate to the length of a line.
func readCert(pem string) (string, error) {
	if len(pem) > MaxLine {
		return "", environmentError(EnvClientCert, pem,
			fmt.Sprintf("is %d bytes long: a certificate has at most %d bytes", len(pem), MaxLine))
	}
	return pem, nil
}

// readPorts reads the port range. Both ports are zero if the range is invalid.
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

// Variables returns the host's variables as "name=value", in the order of
// [Names]. The version list and the port range are always present, the others
// if they have a value. Append them after the inherited environment.
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
	add(EnvFields, formatFieldRequest(e.Fields, e.FieldsFor))
	add(EnvLifeline, e.Lifeline)
	if e.Outlive {
		add(EnvOutlive, outlives)
	}
	return variables
}

// Asks reports whether the host asked for the extension field with this name.
func (e Environment) Asks(field string) bool {
	return slices.Contains(e.Fields, field)
}

// Asking returns e with the names in a comma separated list added to Fields, each once.
func (e Environment) Asking(list string) Environment {
	e.Fields = slices.Clone(e.Fields)
	for _, name := range parseNames(list) {
		if !e.Asks(name) {
			e.Fields = append(e.Fields, name)
		}
	}
	return e
}

// Strip returns environ without the variables of the protocol. A host needs it
// when it is a plugin itself, or was started by a plugin. Order is kept and
// environ is not changed. Names are compared as on the platform: Windows
// ignores case.
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
