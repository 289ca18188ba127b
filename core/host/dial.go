package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"syscall"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/runner"
)

// dial connects to an address in the plugin's view.
func (p *process) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if err := p.refuse(network, address); err != nil {
		return nil, err
	}
	hostNetwork, hostAddress, err := p.runner.PluginToHost(network, address)
	if err != nil {
		return nil, fmt.Errorf("translate the plugin's address: %w", err)
	}
	listensAt := []string{hostAddress}
	if network == handshake.NetworkTCP {
		listensAt = append(listensAt, address) // 0.0.0.0 is other machines' way too, wherever it is translated to
	}
	if err := p.sockets.allow(ctx, p.logger, hostNetwork, listensAt...); err != nil {
		return nil, err
	}
	var dialer net.Dialer
	if p.isChild() {
		dialer.Control = func(_, resolved string, _ syscall.RawConn) error {
			return refuseResolved(network, address, resolved)
		}
	}
	conn, err := dialer.DialContext(ctx, hostNetwork, hostAddress)
	if refused := (*core.AddressError)(nil); errors.As(err, &refused) {
		return nil, core.WithHint(refused, notLoopbackHint)
	}
	if err != nil {
		return nil, err
	}
	if err := p.sockets.peers.Check(conn); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// isChild reports whether the plugin is a process of this machine. Its
// addresses are then valid for the host.
func (p *process) isChild() bool {
	switch p.runner.(type) {
	case *runner.Process, *unwatched:
		return true
	}
	return false
}

// refuse returns an error for a forbidden address: a plugin must not choose
// other machines for its host to call. A mere lookup of a name would already be
// a message to the owner of its domain.
func (p *process) refuse(network, address string) error {
	refused := &core.AddressError{Network: network, Address: address}
	switch {
	case network != handshake.NetworkUnix && network != handshake.NetworkTCP:
		refused.Reason = "only the networks unix and tcp are known"
		return refused
	case network == handshake.NetworkUnix || !p.isChild():
		return nil
	}
	name, _, err := net.SplitHostPort(address)
	if err != nil {
		refused.Reason = "it is not host:port"
		return refused
	}
	// A listener on all addresses names itself by none; that reaches this machine.
	if name == "" || strings.EqualFold(name, "localhost") || isOwnIP(name) {
		return nil
	}
	refused.Reason = notLoopback
	return core.WithHint(refused, notLoopbackHint)
}

const (
	notLoopback     = "a plugin that is a process of this machine must listen on a loopback address, such as 127.0.0.1"
	notLoopbackHint = "for a plugin that runs elsewhere, Config.Runner returns a runner that translates addresses"
)

// refuseResolved returns an error if the plugin's address leads to another
// machine: the system's resolver determines the meaning of "localhost".
func refuseResolved(network, address, resolved string) error {
	if network != handshake.NetworkTCP {
		return nil
	}
	if ip, _, err := net.SplitHostPort(resolved); err == nil && (ip == "" || isOwnIP(ip)) {
		return nil
	}
	return core.WithHint(&core.AddressError{Network: network, Address: address, Reason: "it leads to " + resolved + ": " + notLoopback},
		notLoopbackHint)
}

// ErrPlainTCP is the error of a plugin open to every user of the machine: over
// TCP, without TLS.
var ErrPlainTCP = core.WithHint(
	errors.New("the connection is TCP without TLS, open to every user of this machine: install a release of the plugin that protects it"),
	"Config.Sockets.RefusePlainTCP refuses it: turn Config.AutoMTLS on, or let the plugin listen on a unix socket")

// allow returns an error for a connection open to every user, if those are refused; otherwise it
// warns of the first one. listensAt are the addresses of the listening end, in the plugin's view
// and in its runner's. Without any it is a loopback address.
func (s *sockets) allow(ctx context.Context, logger *slog.Logger, network string, listensAt ...string) error {
	// A runner may name tcp4 or tcp6.
	if !strings.HasPrefix(network, handshake.NetworkTCP) || s.secured {
		return nil
	}
	if s.refusePlain {
		return ErrPlainTCP
	}
	const remedy = " (AutoMTLS protects it, Sockets.RefusePlainTCP refuses it)"
	for _, address := range listensAt {
		if !isLoopback(address) {
			s.warnedNetwork.Do(func() {
				logger.WarnContext(ctx, "the connection to the plugin is TCP without TLS, and not on a loopback address: "+
					"whoever reaches it over the network can call it"+remedy, "address", address)
			})
			return nil
		}
	}
	s.warned.Do(func() {
		logger.WarnContext(ctx, "the connection to the plugin is TCP without TLS: every user of this machine can call it"+remedy)
	})
	return nil
}

// isLoopback reports whether only this machine reaches a listener at the address. The unspecified
// address stands for all addresses of the machine.
func isLoopback(address string) bool {
	name, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.Unmap().IsLoopback() || strings.EqualFold(name, "localhost")
}

// isOwnIP reports whether text is an IP address of this machine alone. Dialling
// the unspecified address dials this machine.
func isOwnIP(text string) bool {
	ip, err := netip.ParseAddr(text)
	if err != nil {
		return false
	}
	ip = ip.Unmap()
	return ip.IsLoopback() || ip.IsUnspecified()
}
