package shared

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

// MaxBytes is the longest reply of [Server.Bytes], in bytes.
const MaxBytes = 256 << 20

// Server is the plugin's end of the probe: net/rpc serves its methods. [Factory.New] makes
// one for each Dispense.
type Server struct {
	broker   Broker
	version  int
	instance int
	count    atomic.Int64

	release     chan struct{}
	releaseOnce sync.Once
}

// Factory makes and numbers the probe's servers for one application version. The zero value
// serves version 0.
type Factory struct {
	// Version is the reply of Version.
	Version int

	instances atomic.Int64
}

// New returns a new server, numbered from 1. It reaches the host's brokered connections
// through broker.
func (f *Factory) New(broker Broker) *Server {
	return &Server{
		broker:   broker,
		version:  f.Version,
		instance: int(f.instances.Add(1)),
		release:  make(chan struct{}),
	}
}

// Echo returns its argument.
func (s *Server) Echo(text string, reply *string) error {
	*reply = text
	return nil
}

// Sum returns the sum of its arguments.
func (s *Server) Sum(args SumArgs, reply *int64) error {
	*reply = args.A + args.B
	return nil
}

// Fail returns an error with the given text.
func (s *Server) Fail(message string, _ *Empty) error {
	return errors.New(message)
}

// Block returns after a call of Release on the same instance, or never.
func (s *Server) Block(Empty, *Empty) error {
	<-s.release
	return nil
}

// Release lets every present and later Block of this instance return.
func (s *Server) Release(Empty, *Empty) error {
	s.releaseOnce.Do(func() { close(s.release) })
	return nil
}

// Print writes to the process's os.Stdout and os.Stderr at the time of the call, so the
// output takes the path of a plugin's prints.
func (s *Server) Print(args PrintArgs, _ *Empty) error {
	if _, err := os.Stdout.WriteString(args.Stdout); err != nil {
		return fmt.Errorf("write to os.Stdout: %w", err)
	}
	if _, err := os.Stderr.WriteString(args.Stderr); err != nil {
		return fmt.Errorf("write to os.Stderr: %w", err)
	}
	return nil
}

// Env returns a variable of the plugin's environment, empty if unset.
func (s *Server) Env(name string, reply *string) error {
	*reply = os.Getenv(name)
	return nil
}

// Pid returns the plugin's process ID.
func (s *Server) Pid(_ Empty, reply *int) error {
	*reply = os.Getpid()
	return nil
}

// Exit ends the plugin's process at once, without a reply.
func (s *Server) Exit(code int, _ *Empty) error {
	os.Exit(code)
	return nil
}

// Version returns the application version of the dispensed plugin set.
func (s *Server) Version(_ Empty, reply *int) error {
	*reply = s.version
	return nil
}

// Bytes returns n bytes, at most [MaxBytes]; byte i is i modulo 251.
func (s *Server) Bytes(n int, reply *[]byte) error {
	if n < 0 || n > MaxBytes {
		return fmt.Errorf("%d bytes requested, want 0 to %d", n, MaxBytes)
	}
	*reply = Pattern(n)
	return nil
}

// Instance returns the number of this instance, from 1, among those dispensed from the same
// process and version.
func (s *Server) Instance(_ Empty, reply *int) error {
	*reply = s.instance
	return nil
}

// Count returns the number of its calls on this instance, from 1.
func (s *Server) Count(_ Empty, reply *int) error {
	*reply = int(s.count.Add(1))
	return nil
}

// Pattern returns n bytes; byte i is i modulo 251. 251 is prime, so a lost or repeated
// block differs from its neighbour.
func Pattern(n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i % 251)
	}
	return data
}
