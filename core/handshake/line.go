package handshake

import (
	"encoding/base64"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
)

// CoreVersion is the version of the core protocol: the layout of the line and
// the rules after it. Version 1 is the only version so far.
const CoreVersion = 1

// MaxLine is the maximum length in bytes of a handshake line, for reading and
// writing. A line with a socket path and a certificate has about one to five
// kilobytes.
const MaxLine = 64 << 10

// The networks of a line (protocol §2).
const (
	NetworkUnix = "unix"
	NetworkTCP  = "tcp"
)

// DefaultProtocol is the protocol of a line without a protocol field.
const DefaultProtocol = "netrpc"

// maxNoCert is the maximum length of a sixth field that is not a certificate.
// Very old plugins put other data there.
const maxNoCert = 50

// The oldest plugins send four fields. The first six have a meaning for every
// transport.
const (
	minFields   = 4
	namedFields = 6
)

// Line is a plugin's announcement of its address and protocol (protocol §2).
type Line struct {
	// CoreVersion is the version of the core protocol. Parse only returns 1.
	// Zero: Format writes 1.
	CoreVersion int
	// AppVersion is the application's protocol version chosen by the plugin
	// (see [Negotiate]), zero or more.
	AppVersion int
	// Network is "unix" or "tcp".
	Network string
	// Address is a socket path, or host:port with a decimal port.
	Address string
	// Protocol is "netrpc", "grpc" or an application's own protocol. Empty:
	// Format writes "netrpc". Parse never returns an empty Protocol.
	Protocol string
	// ServerCert is the plugin's leaf certificate in DER, for mutual TLS
	// (protocol §3). Nil: none. The package does not verify it.
	ServerCert []byte
	// Fields holds the seventh and all later fields, unmodified. The transport
	// defines the seventh; [Extension] reads the later fields. Nil: the line
	// ends with the sixth field, as most do.
	Fields []string
}

// Parse reads a handshake line. It ignores white space around the line,
// including the newline. A line has at least four fields. A missing fifth field
// means "netrpc"; a sixth of at most 50 characters means no certificate. Later
// fields are kept unread.
//
// The error is a [*CoreVersionError] for another core version, and otherwise a
// [*ParseError]. The caller decides which protocols it accepts.
func Parse(line string) (Line, error) {
	if len(line) > MaxLine {
		return Line{}, parseError(FieldLine, line, fmt.Sprintf(
			"is %d bytes long: a handshake line has at most %d bytes", len(line), MaxLine))
	}
	fields := strings.SplitN(strings.TrimSpace(line), "|", namedFields+1)
	if len(fields) < minFields {
		return Line{}, parseError(FieldLine, line, fmt.Sprintf(
			"has %d of at least %d fields: the plugin must print CORE|APP|NETWORK|ADDRESS|PROTOCOL|CERT",
			len(fields), minFields))
	}
	version, err := parseVersion(FieldCoreVersion, fields[0])
	if err != nil {
		return Line{}, err
	}
	if version != CoreVersion {
		return Line{}, &CoreVersionError{Got: version}
	}
	return parseFields(fields)
}

// parseFields reads a line of core version 1, split into its first six fields
// and the rest. It splits the rest only after the six are valid.
func parseFields(fields []string) (Line, error) {
	l := Line{CoreVersion: CoreVersion, Network: fields[2], Address: fields[3], Protocol: DefaultProtocol}
	var err error
	if l.AppVersion, err = parseVersion(FieldAppVersion, fields[1]); err != nil {
		return Line{}, err
	}
	if field, reason := checkEndpoint(l.Network, l.Address); reason != "" {
		value := l.Address
		if field == FieldNetwork {
			value = l.Network
		}
		return Line{}, parseError(field, value, reason)
	}
	if len(fields) > 4 {
		l.Protocol = fields[4]
		if reason := checkProtocol(l.Protocol); reason != "" {
			return Line{}, parseError(FieldProtocol, l.Protocol, reason)
		}
	}
	if len(fields) > 5 {
		if l.ServerCert, err = parseCert(fields[5]); err != nil {
			return Line{}, err
		}
	}
	if len(fields) > namedFields {
		l.Fields = strings.Split(fields[namedFields], "|")
	}
	return l, nil
}

// parseVersion reads a version number: decimal digits, no sign, at most 2^31-1.
func parseVersion(field Field, value string) (int, error) {
	if n, ok := decimal(value, math.MaxInt32); ok {
		return n, nil
	}
	return 0, parseError(field, value, "is not a decimal number from 0 to 2147483647")
}

// checkEndpoint returns the invalid field of an endpoint and the reason. An
// empty reason means that both are valid.
func checkEndpoint(network, address string) (Field, string) {
	switch network {
	case NetworkUnix, NetworkTCP:
	default:
		return FieldNetwork, `is unknown: the plugin must announce "unix" or "tcp"`
	}
	switch {
	case address == "":
		return FieldAddress, "is empty: the plugin must announce where it listens"
	case hasControl(address):
		return FieldAddress, "contains a control character: choose another directory for the socket"
	case network == NetworkTCP:
		return FieldAddress, checkTCP(address)
	}
	return "", ""
}

// checkTCP returns the fault in a TCP address, or "".
func checkTCP(address string) string {
	const want = "is not host:port with a decimal port from 1 to 65535"
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return want
	}
	if n, ok := decimal(port, math.MaxUint16); !ok || n == 0 {
		return want
	}
	return ""
}

// checkProtocol returns the fault in the name of a protocol, or "".
func checkProtocol(name string) string {
	switch {
	case name == "":
		return `is empty: send a name like "netrpc" or "grpc", or omit the field for "netrpc"`
	case hasControl(name):
		return "contains a control character"
	}
	return ""
}

// parseCert decodes the sixth field. Nil means no certificate.
func parseCert(value string) ([]byte, error) {
	if len(value) <= maxNoCert {
		return nil, nil
	}
	der, err := certEncoding.DecodeString(value)
	if err != nil || strings.ContainsAny(value, "\r\n") { // the decoder skips these
		return nil, parseError(FieldServerCert, value,
			"is not base64 with the standard alphabet and without padding: "+
				"the plugin must announce its certificate as DER in that encoding")
	}
	return der, nil
}

// certEncoding is the encoding of the sixth field. Each certificate has exactly one text.
var certEncoding = base64.RawStdEncoding.Strict()

// decimal reads a number of one to ten decimal digits, up to limit.
func decimal(s string, limit int64) (int, bool) {
	if len(s) == 0 || len(s) > 10 || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > limit {
		return 0, false
	}
	return int(n), true
}

// hasControl reports whether s contains an ASCII control character. A line
// cannot carry a newline, and an address cannot contain NUL.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

func parseError(field Field, value, reason string) *ParseError {
	return &ParseError{Field: field, Value: clip(value), Reason: reason}
}
