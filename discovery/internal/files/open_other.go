//go:build !unix

package files

const openWithoutWaiting = 0
