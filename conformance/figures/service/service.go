// Package service is the service of the measured plugins, the same on both libraries.
package service

import "io"

// These names are common to hosts and plugins.
const (
	CookieKey   = "JACKFIELD_FIGURES"
	CookieValue = "stopwatch"
	Name        = "service"
)

// Dial connects to a brokered ID, with either library's broker.
type Dial func(id uint32) (io.ReadCloser, error)

// Server is the dispensed object.
type Server struct{ Dial Dial }

// Echo returns its argument.
func (s *Server) Echo(data []byte, reply *[]byte) error {
	*reply = data
	return nil
}

// Drain reads the host's brokered stream to its end.
func (s *Server) Drain(id uint32, n *int64) error {
	conn, err := s.Dial(id)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	*n, err = io.Copy(io.Discard, conn)
	return err
}
