//go:build !unix

package atomicfile

const openWithoutWaiting = 0
