package plugin

import (
	"os"
	"sync"
	"time"

	"github.com/jackfield-go/jackfield/core/internal/pipe"
)

// outputGrace is how long an uninterruptible Read waits for more output after
// its end (pipe.NewReader).
const outputGrace = 100 * time.Millisecond

// output is this process's output while a plugin is served: the handshake line
// and the log go to the process's own stdout and stderr; the program's prints
// go into pipes.
type output struct {
	announce *os.File // the process's stdout
	log      *os.File // the process's stderr
	own      *os.File // os.Stdout before, which may be another file
	stdout   *captured
	stderr   *captured
	hold     descriptor // of the process's stdout
	ending   sync.Once
}

// captured is a pipe in the place of one of the process's outputs.
type captured struct {
	write  *os.File
	source *pipe.Reader
}

func capture() (*captured, error) {
	r, w, err := pipe.Open()
	if err != nil {
		return nil, err
	}
	return &captured{write: w, source: pipe.NewReader(r, outputGrace)}, nil
}

// captureOutput redirects os.Stdout and os.Stderr into pipes, and on Unix
// descriptor 1 too, so that the stdout read by the host has the handshake line
// alone.
func captureOutput() (_ *output, err error) {
	o := &output{log: os.Stderr, own: os.Stdout}
	// First of all: where the standard output is closed, a pipe would get its
	// number.
	if o.announce, err = o.hold.save(); err != nil {
		return nil, err
	}
	if o.stdout, err = capture(); err != nil {
		o.hold.restore()
		return nil, err
	}
	if o.stderr, err = capture(); err != nil {
		o.stdout.close()
		o.hold.restore()
		return nil, err
	}
	o.hold.point(o.stdout.write)
	os.Stdout, os.Stderr = o.stdout.write, o.stderr.write
	return o, nil
}

func (c *captured) close() {
	_ = c.write.Close()
	_ = c.source.Close()
}

// end ends both outputs: later prints go to the log's stream.
func (o *output) end() {
	o.ending.Do(func() {
		o.hold.point(o.log)
		o.stdout.redirect(o.log)
		o.stderr.redirect(o.log)
	})
}

// restore makes os.Stdout and os.Stderr write to the process's own outputs
// again. On Unix the variables keep their values: goroutines of the program may
// be reading them.
func (o *output) restore() {
	o.end()
	o.hold.restore()
	o.stdout.redirect(o.own)
	o.restoreVariables()
	_ = o.stdout.source.Close()
	_ = o.stderr.source.Close()
}
