//go:build !unix && !windows

package fileid

import "os"

const openWithoutWaiting = 0

func of(*os.File) (ID, bool) { return ID{}, false }
