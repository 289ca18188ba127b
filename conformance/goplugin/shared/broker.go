package shared

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/rpc"
)

// Broker has the methods of a broker that the probe uses. go-plugin's *MuxBroker has these
// methods.
type Broker interface {
	// NextId returns an unused ID of this side. The spelling is go-plugin's, so that its
	// broker implements the interface.
	NextId() uint32
	// Accept waits for the peer to dial id.
	Accept(id uint32) (net.Conn, error)
	// Dial connects to the peer's acceptor of id.
	Dial(id uint32) (net.Conn, error)
}

// Callback dials the host at an ID and asks the [Asker] there.
func (s *Server) Callback(args CallbackArgs, reply *string) error {
	conn, err := s.broker.Dial(args.ID)
	if err != nil {
		return fmt.Errorf("dial the host's broker ID %d: %w", args.ID, err)
	}
	client := rpc.NewClient(conn)
	defer func() { _ = client.Close() }()
	return client.Call(service+".Ask", args.Question, reply)
}

// ServeBack returns a fresh broker ID. There the plugin serves an [Asker] to the first
// dialer.
func (s *Server) ServeBack(_ Empty, reply *uint32) error {
	id := s.broker.NextId()
	*reply = id
	go func() {
		conn, err := s.broker.Accept(id)
		if err != nil {
			return // no dialer came: the host's dial fails
		}
		ServeAsker(conn, AskerFunc(PluginAnswer))
	}()
	return nil
}

// ReadAll dials the host at an ID and reads the raw stream there to its end.
func (s *Server) ReadAll(id uint32, reply *ReadAllReply) error {
	conn, err := s.broker.Dial(id)
	if err != nil {
		return fmt.Errorf("dial the host's broker ID %d: %w", id, err)
	}
	defer func() { _ = conn.Close() }()
	sum := sha256.New()
	reply.Bytes, err = io.Copy(sum, conn)
	if err != nil {
		return fmt.Errorf("read the host's stream after %d bytes: %w", reply.Bytes, err)
	}
	reply.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return nil
}
