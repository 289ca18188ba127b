package runner

import (
	"io"
	"os"
)

// input copies a reader into the standard input of a process.
type input struct {
	from io.Reader
	to   *os.File
}

// copy ends with the reader, with the process, or with a process that closes
// its input. None of these is anybody's error: a program need not read all of
// its input.
func (in *input) copy() {
	// Hiding the other methods keeps io.Copy from handing the copy to the
	// reader's own WriteTo, which may well not return when the pipe breaks.
	_, _ = io.Copy(struct{ io.Writer }{in.to}, struct{ io.Reader }{in.from})
	in.stop()
}

// stop closes the pipe, which fails a write that is waiting. It may be called
// more than once.
func (in *input) stop() { in.to.Close() }
