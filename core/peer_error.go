package core

import (
	"fmt"
	"strconv"
)

// PeerError says that the process at the other end of a unix socket belongs to a
// user who has no business there. The connection was closed before a byte of it
// was read.
type PeerError struct {
	// UID is the user of the process, and GID the user's group.
	UID, GID int
	// PID is the process, 0 if the system does not tell.
	PID int
	// Err is set, and the rest is not, if the system did not say who it is.
	Err error
}

func (e *PeerError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("refused: the system does not say who is at the other end of the socket: %v", e.Err)
	}
	process := ""
	if e.PID != 0 {
		process = " (process " + strconv.Itoa(e.PID) + ")"
	}
	return fmt.Sprintf("refused: at the other end of the socket is user %d%s, who is neither this user nor one that was allowed "+
		"(SocketUser, SocketUsers, SocketGroup)", e.UID, process)
}

// Unwrap returns why the system did not say who it is.
func (e *PeerError) Unwrap() error { return e.Err }
