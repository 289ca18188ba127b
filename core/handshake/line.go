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
// what follows it. There has only ever been one.
const CoreVersion = 1

// MaxLine is the longest handshake line that is parsed or written, in bytes. A
// line with a socket path and a certificate is about one to five kilobytes long.
const MaxLine = 64 << 10

// The networks that a line can name (protocol §2).
const (
	NetworkUnix = "unix"
	NetworkTCP  = "tcp"
)

// DefaultProtocol is the protocol of a line that does not name one.
const DefaultProtocol = "netrpc"

// maxNoCert is the length up to which the sixth field is no certificate: very
// old plugins put other data there.
const maxNoCert = 50

// A line has at least the four fields of the oldest plugins. The first six have
// a meaning for every transport.
const (
	minFields   = 4
	namedFields = 6
)

// Line is a plugin's announcement of where and how it serves (protocol §2).
type Line struct {
	// CoreVersion is the version of the core protocol. Parse only returns 1.
	// Zero: Format writes 1.
	CoreVersion int
	// AppVersion is the application's protocol version that the plugin chose
	// (see [Negotiate]), zero or more.
	AppVersion int
	// Network is "unix" or "tcp".
	Network string
	// Address is a socket path, or host:port with a decimal port.
	Address string
	// Protocol is how the plugin serves: "netrpc", "grpc" or one of the
	// application's own. Empty: Format writes "netrpc". Parse never returns it
	// empty.
	Protocol string
	// ServerCert is the plugin's leaf certificate in DER, for mutual TLS
	// (protocol §3). Nil: none. It is not verified to be a certificate.
	ServerCert []byte
	// Fields holds the seventh field and all that follow, as they stand. What
	// the seventh means is the transport's business; those after it are read
	// with [Extension]. Nil: the line ends with the sixth field, as most do.
	Fields []string
}

// Parse reads a handshake line. White space around the line, its ending with it,
// is not part of it. A line has at least four fields; a missing fifth means
// "netrpc", a sixth of 50 characters or fewer means no certificate, and later
// fields are kept without being looked at.
//
// The error is a [*CoreVersionError] for a line of another core version, and
// otherwise a [*ParseError]. Which protocols are acceptable is for the caller to
// say.
func Parse(line string) (Line, error) {
	if len(line) > MaxLine {
		return Line{}, parseError(FieldLine, line, fmt.Sprintf(
			"is %d bytes long, and a handshake line has at most %d", len(line), MaxLine))
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

// parseFields reads a line of core version 1 that is split into its first six
// fields and the rest, which is split only once they are known to be good.
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

// checkEndpoint says what is wrong with a network and an address; an empty
// reason means nothing is.
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
		return FieldAddress, "has a control character in it: choose another directory for the socket"
	case network == NetworkTCP:
		return FieldAddress, checkTCP(address)
	}
	return "", ""
}

// checkTCP says what is wrong with a TCP address.
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

// checkProtocol says what is wrong with the name of a protocol.
func checkProtocol(name string) string {
	switch {
	case name == "":
		return `is empty: name one such as "netrpc" or "grpc", or leave the field out for "netrpc"`
	case hasControl(name):
		return "has a control character in it"
	}
	return ""
}

// parseCert decodes the sixth field; nil means that there is no certificate.
func parseCert(value string) ([]byte, error) {
	if len(value) <= maxNoCert {
		return nil, nil
	}
	der, err := certEncoding.DecodeString(value)
	if err != nil || strings.ContainsAny(value, "\r\n") { // which the decoder skips
		return nil, parseError(FieldServerCert, value,
			"is not base64 with the standard alphabet and without padding: "+
				"the plugin must announce its certificate as DER in that encoding")
	}
	return der, nil
}

// certEncoding is that of the sixth field. It has one text for each certificate.
var certEncoding = base64.RawStdEncoding.Strict()

// decimal reads a number of one to ten decimal digits that is at most limit.
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

// hasControl reports whether s has an ASCII control character in it, which a
// line cannot carry (newline) or an address cannot hold (NUL).
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

func parseError(field Field, value, reason string) *ParseError {
	return &ParseError{Field: field, Value: clip(value), Reason: reason}
}
