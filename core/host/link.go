package host

import (
	"context"
	"fmt"
	"net"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/internal/socket"
)

// link is what the transport gets to know of a launch.
func (l *launch) link(line handshake.Line, tls *core.TLS) core.HostLink {
	p := l.process
	namer := &socket.Namer{Prefix: "h"}
	return core.HostLink{
		Plugin:  l.cfg.Name,
		Logger:  p.logger,
		Version: line.AppVersion,
		Fields:  line.Fields,
		TLS:     tls,
		Stdout:  l.cfg.Outputs.PrintedStdout,
		Stderr:  l.cfg.Outputs.PrintedStderr,
		Dial: func(ctx context.Context) (net.Conn, error) {
			return p.dial(ctx, line.Network, line.Address)
		},
		DialAddress:       p.dial,
		Listen:            func(ctx context.Context) (core.Listener, error) { return p.listen(ctx, namer) },
		ConnectionTimeout: l.cfg.Timeouts.Connection,
		Exited:            p.ended,
		Explain:           p.explain,
	}
}

// listen makes a listener for the plugin: in the directory that both use, or on
// the loopback address where there is none.
func (p *process) listen(ctx context.Context, namer *socket.Namer) (core.Listener, error) {
	var listener net.Listener
	var err error
	if p.sockets.dir != nil {
		listener, err = p.sockets.listenUnix(namer, p.logger)
	} else if err = p.sockets.allow(ctx, p.logger, handshake.NetworkTCP); err == nil {
		listener, err = new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	}
	if err != nil {
		return core.Listener{}, fmt.Errorf("listen for the plugin: %w", err)
	}
	network, address, err := p.runner.HostToPlugin(listener.Addr().Network(), listener.Addr().String())
	if err != nil {
		_ = listener.Close()
		return core.Listener{}, fmt.Errorf("translate the host's address: %w", err)
	}
	return core.Listener{Listener: listener, AnnounceNetwork: network, AnnounceAddress: address}, nil
}
