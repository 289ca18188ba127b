package handshake

import "fmt"

// Field names a part of the handshake line in an error.
type Field string

// The parts of the line (protocol §2).
const (
	FieldLine        Field = "line" // the line as a whole
	FieldCoreVersion Field = "core version"
	FieldAppVersion  Field = "application version"
	FieldNetwork     Field = "network"
	FieldAddress     Field = "address"
	FieldProtocol    Field = "protocol"
	FieldServerCert  Field = "server certificate"
	FieldExtra       Field = "extra field" // the seventh and all after it
)

// maxQuoted bounds how much of a peer's text goes into an error, in bytes.
const maxQuoted = 128

// ParseError reports a handshake line that cannot be understood (protocol §2).
type ParseError struct {
	// Field is the part of the line that is wrong.
	Field Field
	// Value is that part as the plugin sent it, cut after 128 bytes, with "..." put there.
	Value string
	// Reason says what is wrong with the value and what the plugin must do.
	Reason string
}

// Error quotes the value, so that control characters in it do no harm to a
// terminal or a log.
func (e *ParseError) Error() string {
	if e.Field == FieldLine {
		return fmt.Sprintf("handshake line %q: %s", e.Value, e.Reason)
	}
	return fmt.Sprintf("handshake line: %s %q: %s", e.Field, e.Value, e.Reason)
}

// FormatError reports a [Line] that cannot be announced (protocol §2).
type FormatError struct {
	// Field is the part of the line that is wrong.
	Field Field
	// Value is that part as text, cut after 128 bytes, with "..." put there.
	Value string
	// Reason says what is wrong with the value and what to do about it.
	Reason string
}

// Error says which field cannot be announced and why.
func (e *FormatError) Error() string {
	return fmt.Sprintf("cannot announce the %s %q in a handshake line: %s", e.Field, e.Value, e.Reason)
}

// CoreVersionError reports a line of another core protocol version than
// [CoreVersion]. The rest of such a line is not looked at, since its layout may
// differ.
type CoreVersionError struct {
	// Got is the version in the plugin's line.
	Got int
}

// Error says which side has to be rebuilt.
func (e *CoreVersionError) Error() string {
	return fmt.Sprintf("the plugin speaks core protocol version %d and this host speaks version %d: "+
		"rebuild the plugin against a plugin library that speaks version %d", e.Got, CoreVersion, CoreVersion)
}

// EnvironmentError reports a PLUGIN_* variable with a value that cannot be used
// (protocol §1).
type EnvironmentError struct {
	// Name is the variable.
	Name string
	// Value is its value, cut after 128 bytes, with "..." put there.
	Value string
	// Reason says what is wrong with the value and what to do about it.
	Reason string
}

// Error names the variable and what it must hold.
func (e *EnvironmentError) Error() string {
	return fmt.Sprintf("environment variable %s=%q: %s", e.Name, e.Value, e.Reason)
}

// clip bounds a peer's text to what an error may hold.
func clip(s string) string {
	if len(s) > maxQuoted {
		return s[:maxQuoted] + "..."
	}
	return s
}
