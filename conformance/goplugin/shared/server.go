package shared

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

// MaxBytes is the longest reply that [Server.Bytes] gives.
const MaxBytes = 256 << 20

// Server is the plugin's end of the probe: net/rpc serves its methods. One is
// made for each Dispense, by [Factory.New].
type Server struct {
	broker   Broker
	version  int
	instance int
	count    atomic.Int64

	release     chan struct{}
	releaseOnce sync.Once
}

// Factory makes the probe's servers for one application version and numbers
// them. The zero value serves version 0.
type Factory struct {
	// Version is what Version answers.
	Version int

	instances atomic.Int64
}

// New returns a fresh server, numbered from 1, that reaches the host's brokered
// connections through broker.
func (f *Factory) New(broker Broker) *Server {
	return &Server{
		broker:   broker,
		version:  f.Version,
		instance: int(f.instances.Add(1)),
		release:  make(chan struct{}),
	}
}

// Echo answers with its argument.
func (s *Server) Echo(text string, reply *string) error {
	*reply = text
	return nil
}

// Sum adds.
func (s *Server) Sum(args SumArgs, reply *int64) error {
	*reply = args.A + args.B
	return nil
}

// Fail returns an error with the text it was given.
func (s *Server) Fail(message string, _ *Empty) error {
	return errors.New(message)
}

// Block returns once Release was called on the same instance, or never.
func (s *Server) Block(Empty, *Empty) error {
	<-s.release
	return nil
}

// Release lets every Block of this instance return, now and later.
func (s *Server) Release(Empty, *Empty) error {
	s.releaseOnce.Do(func() { close(s.release) })
	return nil
}

// Print writes to the os.Stdout and the os.Stderr that the process has at the
// time of the call, so that what it writes goes the way of a plugin's prints.
func (s *Server) Print(args PrintArgs, _ *Empty) error {
	if _, err := os.Stdout.WriteString(args.Stdout); err != nil {
		return fmt.Errorf("write to os.Stdout: %w", err)
	}
	if _, err := os.Stderr.WriteString(args.Stderr); err != nil {
		return fmt.Errorf("write to os.Stderr: %w", err)
	}
	return nil
}

// Env answers with a variable of the plugin's environment, empty if unset.
func (s *Server) Env(name string, reply *string) error {
	*reply = os.Getenv(name)
	return nil
}

// Pid answers with the plugin's process ID.
func (s *Server) Pid(_ Empty, reply *int) error {
	*reply = os.Getpid()
	return nil
}

// Exit ends the plugin's process at once, without a reply.
func (s *Server) Exit(code int, _ *Empty) error {
	os.Exit(code)
	return nil
}

// Version answers with the application version whose plugin set was dispensed.
func (s *Server) Version(_ Empty, reply *int) error {
	*reply = s.version
	return nil
}

// Bytes answers with n bytes, at most [MaxBytes]; byte i is i modulo 251.
func (s *Server) Bytes(n int, reply *[]byte) error {
	if n < 0 || n > MaxBytes {
		return fmt.Errorf("%d bytes asked for, of 0 to %d", n, MaxBytes)
	}
	*reply = Pattern(n)
	return nil
}

// Instance answers with the number of this instance among those dispensed from
// the same process and version, from 1.
func (s *Server) Instance(_ Empty, reply *int) error {
	*reply = s.instance
	return nil
}

// Count answers with how often it was called on this instance, from 1.
func (s *Server) Count(_ Empty, reply *int) error {
	*reply = int(s.count.Add(1))
	return nil
}

// Pattern returns n bytes of which byte i is i modulo 251: a prime, so that
// a block that is lost or comes twice does not look like its neighbour.
func Pattern(n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i % 251)
	}
	return data
}
