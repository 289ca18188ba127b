// Package peercred identifies the user of the process at the other end of a
// unix socket, and refuses unauthorized users. It is a second barrier behind
// file modes, in case they are too wide.
//
// The system reports the credentials of the connecting process at connect time.
// To the connecting side it reports those of the listening process at listen
// time. Linux and macOS provide them; other systems refuse nobody.
package peercred

import (
	"errors"
	"net"
	"os"
	"slices"

	"github.com/jackfield-go/jackfield/core"
)

// errUnsupported reports a platform without peer credentials.
var errUnsupported = errors.New("peer credentials are not available on this platform")

// credentials identify a process.
type credentials struct {
	uid, gid int
	pid      int // 0 if the system does not report it
}

// Policy lists the users allowed at the other end of a connection. This
// process's user is always allowed, and root, who controls the process anyway.
// The zero value is ready for use.
type Policy struct {
	// Users are additional user IDs.
	Users []int
	// Groups are group IDs; all their members are accepted.
	Groups []int
}

// Check returns a *[core.PeerError] unless the policy accepts the process at
// the other end of conn. Connections other than unix sockets are always
// accepted.
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

// PID returns the process that listens at the other end of a dialled connection. 0: the system does
// not report it, or it is not visible from here.
func PID(conn net.Conn) int {
	unix, ok := conn.(*net.UnixConn)
	if !ok {
		return 0
	}
	peer, err := ask(unix, credentialsOf)
	if err != nil {
		return 0
	}
	return peer.pid
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

// Listen wraps listener. It closes connections refused by the policy and passes
// a *[core.PeerError] for each to refused.
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

// ask calls question with the connection's file descriptor and returns its answer.
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
