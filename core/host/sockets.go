package host

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/internal/peercred"
	"github.com/jackfield-go/jackfield/core/internal/socket"
)

// sockets is the meeting place of a plugin and its host, with the users allowed there.
type sockets struct {
	dir         *socket.Dir // nil where plugins listen on TCP
	access      socket.Access
	peers       peercred.Policy
	refusePlain bool
	secured     bool // under TLS; set before there is a connection

	foreign bool   // the plugin's sockets are in another directory
	plugins string // that one, if it is private

	warned        sync.Once // of TCP without TLS
	warnedNetwork sync.Once // of the same where other machines may reach it
	alarmed       sync.Once // of a connection by another user
}

// newSockets makes the directory for a launch of a process with these attributes.
func newSockets(cfg Sockets, attr *syscall.SysProcAttr) (*sockets, error) {
	s := &sockets{refusePlain: cfg.RefusePlainTCP}
	if !usesUnixSockets {
		return s, nil
	}
	var err error
	if s.access, err = socket.NewAccess(cfg.User, cfg.Group); err != nil {
		return nil, err
	}
	if uid, ok := startsAs(attr); ok && cfg.User == "" {
		s.access = s.access.WithUser(uid)
	}
	if uid, ok := s.access.User(); ok {
		s.peers.Users = []int{uid}
	}
	if gid, ok := s.access.Group(); ok {
		s.peers.Groups = []int{gid}
	}
	if s.dir, err = socket.MakeDir(s.access, cfg.Dirs...); err != nil {
		return nil, err
	}
	return s, nil
}

// remove removes the directory, and that of an attached plugin, which has ended. It may be called on
// nil.
func (s *sockets) remove() {
	if s == nil {
		return
	}
	s.dir.Remove()
	if s.plugins != "" {
		socket.ClearAway(s.plugins)
	}
}

// leave leaves the plugin's directory to the plugin. It may be called on nil.
func (s *sockets) leave() {
	switch {
	case s == nil:
	case s.foreign:
		s.dir.Remove()
	default:
		s.dir.Leave()
	}
}

// serve notes that another host launched the plugin, which listens at address.
func (s *sockets) serve(network, address string) {
	s.foreign = true
	if dir := filepath.Dir(address); network == handshake.NetworkUnix && socket.IsPrivate(dir) {
		s.plugins = dir
	}
}

// path is the directory's; empty if there is none.
func (s *sockets) path() string {
	if s.dir == nil {
		return ""
	}
	return s.dir.Path
}

// lifeline makes the plugin notice the end of this process, and returns the way to it (protocol
// §10). Empty: there is none.
func (s *sockets) lifeline(logger *slog.Logger) string {
	if s.dir == nil {
		return strconv.Itoa(os.Getpid())
	}
	name, err := s.dir.Lifeline()
	if err != nil {
		logger.Debug("the plugin will not notice the end of the host", "error", err)
	}
	return name
}

// listenUnix makes a socket for the users with access to the plugin's.
func (s *sockets) listenUnix(namer *socket.Namer, logger *slog.Logger) (net.Listener, error) {
	listener, err := s.dir.Listen(namer)
	if err != nil {
		return nil, err
	}
	if err := s.access.Share(listener.Addr().String()); err != nil {
		_ = listener.Close()
		return nil, err
	}
	return s.peers.Listen(listener, func(err error) { s.alarm(logger, err) }), nil
}

// keepDir keeps the directory from other processes for as long as the plugin
// runs, also without its host.
func (p *process) keepDir() {
	if !p.isChild() {
		return
	}
	if pid, err := strconv.Atoi(p.runner.ID()); err == nil {
		p.sockets.dir.Serves(pid)
	}
}

// alarm logs a connection by another user. Only the first is a warning: a user
// can repeat it at will.
func (s *sockets) alarm(logger *slog.Logger, err error) {
	level := slog.LevelDebug
	s.alarmed.Do(func() { level = slog.LevelWarn })
	logger.Log(context.Background(), level, "a connection to the host was refused", "error", err)
}

// listen makes a listener for the plugin: in the common directory, or on the
// loopback address where there is none.
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
