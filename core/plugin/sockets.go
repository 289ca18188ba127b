package plugin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"

	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/internal/peercred"
	"github.com/jackfield-go/jackfield/core/internal/socket"
)

// sockets makes the plugin's connections, in the place set by the host and the
// configuration, with the users allowed to connect.
type sockets struct {
	network          string
	minPort, maxPort int
	logger           *slog.Logger
	access           socket.Access
	peers            peercred.Policy
	alarmed          sync.Once // of a connection by another user

	mu      sync.Mutex
	namer   socket.Namer
	dir     string         // the host's, or that of own
	handed  *socket.Handed // the host's
	own     *socket.Dir    // nil in the host's
	release func()         // the hold on the host's
}

// newSockets applies the host's requests.
func newSockets(cfg Config, asked handshake.Environment) (*sockets, error) {
	s := &sockets{
		network: cfg.Network,
		minPort: asked.MinPort,
		maxPort: asked.MaxPort,
		logger:  cfg.Logger,
		namer:   socket.Namer{Prefix: "p"},
		release: func() {},
	}
	if s.network != handshake.NetworkUnix {
		return s, nil
	}
	var err error
	if s.access, err = socket.NewAccess("", asked.SocketGroup); err != nil {
		return nil, err
	}
	if s.peers.Users, err = socket.UserIDs(cfg.SocketUsers); err != nil {
		return nil, fmt.Errorf("the users of Config.SocketUsers: %w", err)
	}
	if gid, ok := s.access.Group(); ok {
		s.peers.Groups = []int{gid}
	}
	if asked.SocketDir != "" {
		s.dir = asked.SocketDir
		// Before there is a socket in it: if the host has been killed meanwhile, another launch
		// removes the directory.
		if s.release, err = socket.Hold(s.dir); err != nil {
			return nil, err
		}
		s.handed = socket.HandedOver(asked.SocketDir)
		// The host may run as another user. The owners of its files tell.
		s.peers.Users = append(s.peers.Users, s.handed.Owners()...)
	}
	return s, nil
}

func (s *sockets) listen(ctx context.Context) (net.Listener, error) {
	if s.network == handshake.NetworkTCP {
		return s.listenTCP(ctx)
	}
	return s.listenUnix()
}

// listenUnix listens in the host's directory, or in a private one of the
// plugin's own.
func (s *sockets) listenUnix() (net.Listener, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir == "" {
		own, err := socket.MakeDir(s.access)
		if err != nil {
			return nil, err
		}
		s.dir, s.own = own.Path, own
	}
	listener, err := s.listenIn()
	if err != nil {
		return nil, fmt.Errorf("listen in the directory %q for sockets: %w%s", s.dir, err, s.advice(err))
	}
	if s.own == nil {
		err = s.handed.Check()
	}
	if err == nil {
		err = s.access.Share(listener.Addr().String())
	}
	if err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("listen in the directory %q for sockets: %w", s.dir, err)
	}
	return s.peers.Listen(listener, s.alarm), nil
}

// listenIn makes a socket in the directory, and first makes the directory again if a cleaner has
// swept it away.
func (s *sockets) listenIn() (*net.UnixListener, error) {
	if s.own != nil {
		return s.own.Listen(&s.namer)
	}
	if s.handed.Check() != nil {
		// If that fails, the check after it reports the reason.
		if release, err := s.handed.Again(s.access); err == nil {
			s.release = joined(s.release, release)
		}
	}
	return s.namer.Listen(s.dir)
}

func joined(first, second func()) func() {
	return func() {
		first()
		second()
	}
}

// advice returns the remedy if the host's directory is not for this process.
func (s *sockets) advice(err error) string {
	if s.own != nil || !errors.Is(err, fs.ErrPermission) {
		return ""
	}
	return fmt.Sprintf(" (this plugin runs as the user %d: if the host does not, its Config.Sockets.User names that user)", os.Geteuid())
}

// alarm logs a connection by another user. Only the first is a warning: a user
// can repeat it at will.
func (s *sockets) alarm(err error) {
	level := slog.LevelDebug
	s.alarmed.Do(func() { level = slog.LevelWarn })
	s.logger.Log(context.Background(), level, "a connection to the plugin was refused", "error", err)
}

// dial connects to an address named by the host.
func (s *sockets) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if err := s.peers.Check(conn); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// listenTCP takes the first free port of the range on the loopback address. With
// no range the system picks one. Ports that Windows excludes are passed over.
func (s *sockets) listenTCP(ctx context.Context) (net.Listener, error) {
	var config net.ListenConfig
	taken := "in use"
	for port := s.minPort; port <= s.maxPort; port++ {
		listener, err := config.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return listener, nil
		}
		switch {
		case socket.IsInUse(err):
		case socket.IsExcluded(err):
			taken = "in use, or excluded by Windows (netsh int ipv4 show excludedportrange tcp)"
		default:
			return nil, err
		}
	}
	return nil, fmt.Errorf("every port from %d to %d on 127.0.0.1 is %s: free one, or widen the range that the host sends (MinPort, MaxPort)", s.minPort, s.maxPort, taken)
}

// sweep removes directories of killed plugins beside the plugin's own directory. No host waits for
// it.
func (s *sockets) sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.own.Sweep()
}

// remove removes the directory if it is the plugin's own, or the host's and nobody is left to do so.
func (s *sockets) remove(orphaned bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.own.Remove()
	s.release()
	s.release = func() {}
	if orphaned && s.own == nil && s.dir != "" {
		socket.ClearAway(s.dir)
	}
}
