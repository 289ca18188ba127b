//go:build !unix && !windows

package plugin

import "syscall"

const defaultNetwork = "tcp"

var errAddressInUse error = syscall.EADDRINUSE

func shareDir(string, string) error { return nil }

func shareSocket(string, string) error { return nil }
