package handshake

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Format returns the plugin's line with its newline, as one string for a single
// write. It always has six fields, since some hosts require them. More follow
// only if Fields is not empty (protocol §2).
//
// The error is a [*FormatError]. Its causes are an unknown network, an empty
// address, "|" or control characters in a field, and white space at either end
// of an extra field. A certificate too short for hosts to recognise and a line
// over [MaxLine] are refused too.
func (l Line) Format() (string, error) {
	if err := l.check(); err != nil {
		return "", err
	}
	protocol := l.Protocol
	if protocol == "" {
		protocol = DefaultProtocol
	}
	fields := append([]string{
		strconv.Itoa(CoreVersion), strconv.Itoa(l.AppVersion), l.Network, l.Address, protocol,
		base64.RawStdEncoding.EncodeToString(l.ServerCert),
	}, l.Fields...)
	line := strings.Join(fields, "|") + "\n"
	if len(line) > MaxLine {
		return "", formatError(FieldLine, line, fmt.Sprintf("the line has %d bytes, the limit is %d", len(line), MaxLine))
	}
	return line, nil
}

// check returns the first reason against announcing the line.
func (l Line) check() error {
	if l.CoreVersion != 0 && l.CoreVersion != CoreVersion {
		return formatError(FieldCoreVersion, strconv.Itoa(l.CoreVersion), fmt.Sprintf("it must be %d", CoreVersion))
	}
	if l.AppVersion < 0 || l.AppVersion > math.MaxInt32 {
		return formatError(FieldAppVersion, strconv.Itoa(l.AppVersion), "it must be from 0 to 2147483647")
	}
	if field, reason := checkEndpoint(l.Network, l.Address); reason != "" {
		value := l.Address
		if field == FieldNetwork {
			value = l.Network
		}
		return formatError(field, value, reason)
	}
	if strings.Contains(l.Address, "|") {
		return formatError(FieldAddress, l.Address, `it has a "|" in it, which separates fields: choose another directory for the socket`)
	}
	if strings.Contains(l.Protocol, "|") || hasControl(l.Protocol) {
		return formatError(FieldProtocol, l.Protocol, `it has a "|" or a control character in it`)
	}
	if n := base64.RawStdEncoding.EncodedLen(len(l.ServerCert)); n > 0 && n <= maxNoCert {
		return formatError(FieldServerCert, "", fmt.Sprintf(
			"%d bytes are too few for a certificate: hosts ignore them", len(l.ServerCert)))
	}
	for _, field := range l.Fields {
		if reason := checkExtra(field); reason != "" {
			return formatError(FieldExtra, field, reason)
		}
	}
	return nil
}

// checkExtra returns the fault in a seventh or later field, or "". Hosts trim
// the line, so white space at its end would be lost.
func checkExtra(field string) string {
	if strings.Contains(field, "|") || hasControl(field) || strings.TrimSpace(field) != field {
		return `it contains "|", a control character, or white space at an end`
	}
	return ""
}

func formatError(field Field, value, reason string) *FormatError {
	return &FormatError{Field: field, Value: clip(value), Reason: reason}
}
