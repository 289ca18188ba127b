// Package service is what the measured plugins serve, the same on both
// libraries.
package service

import "io"

// Names that the hosts and the plugins agree on.
const (
	CookieKey   = "JACKFIELD_FIGURES"
	CookieValue = "stopwatch"
	Name        = "service"
)

// Dial connects to a brokered number, with either library's broker.
type Dial func(id uint32) (io.ReadCloser, error)

// Server is the object that is dispensed.
type Server struct{ Dial Dial }

// Echo answers with its argument.
func (s *Server) Echo(data []byte, reply *[]byte) error {
	*reply = data
	return nil
}

// Drain reads what the host sends over a brokered connection, to its end.
func (s *Server) Drain(id uint32, n *int64) error {
	conn, err := s.Dial(id)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	*n, err = io.Copy(io.Discard, conn)
	return err
}
