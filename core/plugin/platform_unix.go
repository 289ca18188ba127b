//go:build unix

package plugin

const defaultNetwork = "unix"
