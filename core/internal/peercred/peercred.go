// Package peercred says which user's process is at the other end of a unix
// socket, and refuses those that have no business there. File modes keep others
// from a socket as well; this holds where modes turn out too wide.
//
// The system answers for what the other process was when it connected, or, to
// the side that connects, when it began to listen. It does on Linux and macOS;
// elsewhere nobody is refused.
package peercred

import (
	"errors"
	"net"
	"os"
	"slices"

	"github.com/jackfield-go/jackfield/core"
)

// errUnsupported says that the platform does not tell.
var errUnsupported = errors.New("peer credentials are not available on this platform")

// credentials are a process's.
type credentials struct {
	uid, gid int
	pid      int // 0 if the system does not tell
}

// Policy says who may be at the other end of a connection: this process's user,
// root, who could do whatever such a process can, and those in it. The zero value
// is ready for use.
type Policy struct {
	// Users are further users, by number.
	Users []int
	// Groups are groups of which every member is accepted, by number.
	Groups []int
}

// Check returns a *[core.PeerError] unless the process at the other end of conn
// is accepted. Connections other than those over unix sockets always are.
func (p Policy) Check(conn net.Conn) error {
	unix, ok := conn.(*net.UnixConn)
	if !ok {
		return nil
	}
	peer, err := ask(unix, credentialsOf)
	switch {
	case errors.Is(err, errUnsupported):
		return nil
	case err != nil:
		return &core.PeerError{Err: err}
	case p.acceptsUser(peer.uid):
		return nil
	case len(p.Groups) > 0 && p.acceptsGroup(unix, peer):
		return nil
	}
	return &core.PeerError{UID: peer.uid, GID: peer.gid, PID: peer.pid}
}

func (p Policy) acceptsUser(uid int) bool {
	return uid == 0 || uid == os.Geteuid() || slices.Contains(p.Users, uid)
}

func (p Policy) acceptsGroup(conn *net.UnixConn, peer credentials) bool {
	if slices.Contains(p.Groups, peer.gid) {
		return true
	}
	further, err := ask(conn, groupsOf)
	return err == nil && slices.ContainsFunc(further, func(gid int) bool { return slices.Contains(p.Groups, gid) })
}

// Listen returns listener without the connections that the policy refuses: they
// are closed, and handed to refused as a *[core.PeerError].
func (p Policy) Listen(listener net.Listener, refused func(error)) net.Listener {
	if listener.Addr().Network() != "unix" {
		return listener
	}
	return &guarded{Listener: listener, policy: p, refused: refused}
}

type guarded struct {
	net.Listener

	policy  Policy
	refused func(error)
}

func (g *guarded) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if err = g.policy.Check(conn); err == nil {
			return conn, nil
		}
		_ = conn.Close()
		g.refused(err)
	}
}

// ask calls question with the connection's file descriptor, and returns its answer.
func ask[T any](conn *net.UnixConn, question func(fd int) (T, error)) (answer T, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return answer, err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { answer, failed = question(int(fd)) }); err != nil {
		return answer, err
	}
	return answer, failed
}
