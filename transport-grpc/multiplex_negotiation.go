package transportgrpc

import (
	"fmt"
	"strconv"
)

// envMultiplex is the variable by which a host asks for multiplexing (protocol §1).
const envMultiplex = "PLUGIN_MULTIPLEX_GRPC"

// MultiplexError is the error of a launch with [WithMultiplexing] of a plugin without
// support for it.
type MultiplexError struct {
	// Plugin is the plugin's name.
	Plugin string
	// Field is the seventh field of its handshake line; empty if there was none.
	Field string
}

func (e *MultiplexError) Error() string {
	said := "says nothing of multiplexing"
	if e.Field != "" {
		said = fmt.Sprintf("answered %q when asked to multiplex", e.Field)
	}
	return fmt.Sprintf("plugin %s %s: install a release of it that can multiplex", e.Plugin, said)
}

// DeveloperHint names the remedies in the code, for core.Hint.
func (e *MultiplexError) DeveloperHint() string {
	return "build the plugin with a library with multiplexed gRPC connections (hashicorp/go-plugin v1.6.0 or later, or this one), " +
		"or launch it without WithMultiplexing"
}

// checkMultiplex reads the seventh field of the handshake line (protocol §2).
func checkMultiplex(plugin string, fields []string) error {
	var field string
	if len(fields) > 0 {
		field = fields[0]
	}
	if can, err := strconv.ParseBool(field); err != nil || !can {
		return &MultiplexError{Plugin: plugin, Field: field}
	}
	return nil
}

// multiplexes reads a plugin's environment: whether the host wants to know if
// the plugin can multiplex, and whether it is to do so.
func multiplexes(lookup func(string) (string, bool)) (asked, wanted bool) {
	value, _ := lookup(envMultiplex)
	wanted, err := strconv.ParseBool(value)
	return value != "", err == nil && wanted
}
