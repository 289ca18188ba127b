package plugin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"

	"github.com/jackfield-go/jackfield/core/internal/socket"
)

// sockets makes the plugin's listeners, where the host and the configuration
// want them.
type sockets struct {
	network          string
	dir              string // the host's, or our own once it is made
	group            string
	minPort, maxPort int

	mu    sync.Mutex
	namer socket.Namer
	own   string // the directory to remove
}

func (s *sockets) listen(ctx context.Context) (net.Listener, error) {
	if s.network == "tcp" {
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
		dir, err := socket.MakeDir(s.group)
		if err != nil {
			return nil, err
		}
		s.dir, s.own = dir, dir
	}
	listener, err := s.namer.Listen(s.dir)
	if err != nil {
		return nil, fmt.Errorf("listen in the directory %q for sockets: %w", s.dir, err)
	}
	if err := socket.Share(listener.Addr().String(), s.group); err != nil {
		_ = listener.Close()
		return nil, err
	}
	return listener, nil
}

// listenTCP takes the first free port of the range on the loopback address. With
// no range the system picks one.
func (s *sockets) listenTCP(ctx context.Context) (net.Listener, error) {
	var config net.ListenConfig
	for port := s.minPort; port <= s.maxPort; port++ {
		listener, err := config.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return listener, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) && !errors.Is(err, errAddressInUse) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("every port from %d to %d on 127.0.0.1 is in use: free one, or widen the range that the host sends (MinPort, MaxPort)", s.minPort, s.maxPort)
}

// remove removes the directory if it is the plugin's own.
func (s *sockets) remove() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.own != "" {
		_ = os.RemoveAll(s.own)
		s.own = ""
	}
}
