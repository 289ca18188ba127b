//go:build !linux && !darwin

package peercred

import "net"

func of(*net.UnixConn) (credentials, error) { return credentials{}, errUnsupported }

func groupsOf(*net.UnixConn) ([]int, error) { return nil, errUnsupported }
