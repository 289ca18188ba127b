package core

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Protocol names a wire format for calls, as in the fifth field of the
// handshake line (protocol §2).
type Protocol string

// The protocols known to the wire protocol itself.
const (
	NetRPC Protocol = "netrpc"
	GRPC   Protocol = "grpc"
)

// Versions are the versions offered by a side: for each application version its
// transports, in the order of preference. An application declares them once,
// for its host and its plugins.
//
// The host and the plugin agree on their highest common version. Several
// transports under one version are for a host: the plugin's answer chooses
// among them. A plugin offers the first.
type Versions map[int][]Transport

// Validate returns an error if the versions are unusable.
func (v Versions) Validate() error {
	if len(v) == 0 {
		return errors.New("no application version is offered: Versions is empty")
	}
	for _, number := range v.Numbers() {
		if err := validateTransports(number, v[number]); err != nil {
			return err
		}
	}
	return nil
}

func validateTransports(number int, transports []Transport) error {
	if number < 0 {
		return fmt.Errorf("application version %d is negative", number)
	}
	if len(transports) == 0 {
		return fmt.Errorf("application version %d has no transport", number)
	}
	seen := make(map[Protocol]bool, len(transports))
	for _, t := range transports {
		if t == nil {
			return fmt.Errorf("application version %d has a nil transport", number)
		}
		if seen[t.Protocol()] {
			return fmt.Errorf("application version %d has two transports for protocol %q", number, t.Protocol())
		}
		seen[t.Protocol()] = true
	}
	return nil
}

// Numbers returns the versions in ascending order.
func (v Versions) Numbers() []int {
	return slices.Sorted(maps.Keys(v))
}

// Protocols returns the protocols offered under version, in their order.
func (v Versions) Protocols(version int) []Protocol {
	var protocols []Protocol
	for _, t := range v[version] {
		protocols = append(protocols, t.Protocol())
	}
	return protocols
}

// Transport returns the transport for protocol under version, or nil.
func (v Versions) Transport(version int, protocol Protocol) Transport {
	for _, t := range v[version] {
		if t.Protocol() == protocol {
			return t
		}
	}
	return nil
}

// Clone returns a copy. It shares only the transports with v.
func (v Versions) Clone() Versions {
	c := make(Versions, len(v))
	for number, transports := range v {
		c[number] = slices.Clone(transports)
	}
	return c
}
