//go:build !unix

package plugin

import "os"

// descriptor has nothing to do here: the platform's standard handle is looked
// up once, when the program starts.
type descriptor struct{}

func (*descriptor) save(file *os.File) (*os.File, error) { return file, nil }

func (*descriptor) point(*os.File) {}

func (*descriptor) restore() {}
