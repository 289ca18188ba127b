// Package peercred says which user's process is at the other end of a unix
// socket, and refuses those that have no business there. File modes keep others
// from a socket as well; this holds where modes turn out too wide.
//
// The system answers for what the other process was when it connected, or, to
// the side that connects, when it began to listen. It does on Linux and macOS;
// elsewhere nobody is refused.
package peercred
