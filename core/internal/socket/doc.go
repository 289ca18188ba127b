// Package socket makes the unix sockets of both sides: in a private directory,
// under a path that is short enough for the platform.
//
// A directory says whose it is by a file in it, which its owner keeps locked, and
// a plugin that serves there too: the system lets go of a lock when a process
// ends, however it ends. Directories that nobody holds any more are removed by
// the next process of the same user that makes one beside them. Whether one is in
// use is never found out by connecting: a multiplexed plugin takes one connection
// in its life.
package socket
