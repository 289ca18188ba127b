//go:build !unix

package fileid

const openWithoutWaiting = 0
