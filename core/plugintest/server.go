package plugintest

import (
	"context"
	"net"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/internal/serving"
)

// Server drives a transport's server as core/plugin does, without a process and
// a handshake: for a transport's own tests.
type Server struct{ driven *serving.Server }

// NewServer calls the transport's NewServer with link and sets the link's Calls and Quit. timeout
// is the plugin's ShutdownTimeout. leave replaces the shutdown functions; the outputs of the link
// have ended when it returns.
func NewServer(
	ctx context.Context, t core.Transport, link core.PluginLink, timeout time.Duration, leave func(ctx context.Context),
) (*Server, error) {
	driven, err := serving.New(ctx, t, link, serving.Config{Timeout: timeout, Leave: leave})
	if err != nil {
		return nil, err
	}
	return &Server{driven}, nil
}

// Serve accepts connections from listener, and returns when the plugin has left: a host has asked
// for it, or Leave or Close was called. It closes listener.
func (s *Server) Serve(listener net.Listener) error { return s.driven.Serve(listener) }

// Leave makes Serve leave in order, as on SIGTERM.
func (s *Server) Leave() { s.driven.Leave() }

// Close makes Serve leave at once. A Server without Serve is closed with it, after its outputs have
// ended.
func (s *Server) Close() { s.driven.Close() }
