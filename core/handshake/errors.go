package handshake

import (
	"errors"
	"fmt"
	"strings"
)

// Field names a part of the handshake line in an error.
type Field string

// The parts of the line (protocol §2).
const (
	FieldLine        Field = "line" // the whole line
	FieldCoreVersion Field = "core version"
	FieldAppVersion  Field = "application version"
	FieldNetwork     Field = "network"
	FieldAddress     Field = "address"
	FieldProtocol    Field = "protocol"
	FieldServerCert  Field = "server certificate"
	FieldExtra       Field = "extra field" // the seventh field and all later fields
)

// maxQuoted limits the bytes of a peer's text in an error.
const maxQuoted = 128

// ParseError reports an invalid handshake line (protocol §2).
type ParseError struct {
	// Field is the invalid part of the line.
	Field Field
	// Value is the text of this part, cut after 128 bytes and then marked with "...".
	Value string
	// Reason describes the fault, and behind a colon the plugin's remedy, if there is any.
	Reason string
}

// Error quotes the value, so that its control characters cannot harm a terminal
// or a log.
func (e *ParseError) Error() string {
	fault, _, _ := strings.Cut(e.Reason, ": ")
	if e.Field == FieldLine {
		return fmt.Sprintf("handshake line %q: %s", e.Value, fault)
	}
	return fmt.Sprintf("handshake line: %s %q: %s", e.Field, e.Value, fault)
}

// DeveloperHint returns the plugin's remedy from the reason, for core.Hint.
func (e *ParseError) DeveloperHint() string {
	_, remedy, _ := strings.Cut(e.Reason, ": ")
	return remedy
}

// FormatError reports a [Line] that cannot be announced (protocol §2).
type FormatError struct {
	// Field is the invalid part of the line.
	Field Field
	// Value is the text of this part, cut after 128 bytes and then marked with "...".
	Value string
	// Reason describes the fault and the remedy.
	Reason string
}

// Error names the field and the reason why it cannot be announced.
func (e *FormatError) Error() string {
	return fmt.Sprintf("cannot announce the %s %q in a handshake line: %s", e.Field, e.Value, e.Reason)
}

// CoreVersionError reports a line of a core protocol version other than
// [CoreVersion]. The rest of the line is ignored, since its layout may differ.
type CoreVersionError struct {
	// Got is the version in the plugin's line.
	Got int
}

// Error names the side to replace.
func (e *CoreVersionError) Error() string {
	return fmt.Sprintf("the plugin speaks core protocol version %d and this host speaks version %d: "+
		"install another release of the plugin", e.Got, CoreVersion)
}

// DeveloperHint names the side to rebuild, for core.Hint.
func (e *CoreVersionError) DeveloperHint() string {
	return fmt.Sprintf("rebuild the plugin against a plugin library that speaks core protocol version %d", CoreVersion)
}

// EnvironmentError reports a PLUGIN_* variable with an invalid value (protocol
// §1).
type EnvironmentError struct {
	// Name is the variable.
	Name string
	// Value is the variable's text, cut after 128 bytes and then marked with "...".
	Value string
	// Reason describes the fault and the remedy.
	Reason string
}

// Error names the variable and the values it accepts.
func (e *EnvironmentError) Error() string {
	return fmt.Sprintf("environment variable %s=%q: %s", e.Name, e.Value, e.Reason)
}

// clip cuts a peer's text to the limit for errors.
func clip(s string) string {
	if len(s) > maxQuoted {
		return s[:maxQuoted] + "..."
	}
	return s
}

// ReattachError reports reattach data that cannot be read or written (protocol §9).
type ReattachError struct {
	// Plugin is the plugin's name in the data; empty if the data has no plugins that can be read.
	Plugin string
	// Reason describes the fault.
	Reason string
}

// Error names the plugin and the fault.
func (e *ReattachError) Error() string {
	if e.Plugin == "" {
		return "reattach data: " + e.Reason
	}
	return fmt.Sprintf("reattach data of the plugin %q: %s", clip(e.Plugin), e.Reason)
}

// inPlugin adds the plugin's name to err.
func inPlugin(name string, err error) error {
	var failure *ReattachError
	if errors.As(err, &failure) {
		return &ReattachError{Plugin: name, Reason: failure.Reason}
	}
	return err
}
