//go:build !linux

package socket

import "net"

func listenFirst(path string) (*net.UnixListener, error) { return listenUnix(path) }
