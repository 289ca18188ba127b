package plugin

import (
	"fmt"
	"os"
	"time"

	"github.com/jackfield-go/jackfield/core/internal/pipe"
)

// outputGrace is how long a Read that cannot be interrupted waits for more after
// the end of the output (pipe.NewReader).
const outputGrace = 100 * time.Millisecond

// output is this process's output while a plugin is served: the handshake line
// and the log go where the process's own stdout and stderr go; all that the
// program prints goes into pipes.
type output struct {
	announce *os.File // the process's stdout
	log      *os.File // the process's stderr
	own      *os.File // os.Stdout as it was
	stdout   *captured
	stderr   *captured
	hold     descriptor // of the process's stdout
}

// captured is a pipe in the place of one of the process's outputs.
type captured struct {
	write  *os.File
	source *pipe.Reader
}

func capture() (*captured, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	return &captured{write: w, source: pipe.NewReader(r, outputGrace)}, nil
}

// end makes the source reach its end after what has been written so far. A
// child that still has the other end does not keep it open.
func (c *captured) end() {
	_ = c.write.Close()
	c.source.Finish()
}

// captureOutput redirects os.Stdout and os.Stderr into pipes, and on Unix
// descriptor 1 too, so that nothing but the handshake line reaches the stdout
// that the host reads it from.
func captureOutput() (*output, error) {
	o := &output{announce: os.Stdout, log: os.Stderr, own: os.Stdout}
	var err error
	if o.stdout, err = capture(); err != nil {
		return nil, err
	}
	if o.stderr, err = capture(); err != nil {
		o.stdout.close()
		return nil, err
	}
	if err := o.redirect(); err != nil {
		o.stdout.close()
		o.stderr.close()
		return nil, fmt.Errorf("redirect the standard output: %w", err)
	}
	os.Stdout, os.Stderr = o.stdout.write, o.stderr.write
	return o, nil
}

// redirect makes the process's stdout another way into the pipe, where the
// platform can.
func (o *output) redirect() error {
	saved, err := o.hold.save(o.own)
	if err != nil {
		return err
	}
	o.announce = saved
	o.hold.point(o.stdout.write)
	return nil
}

func (c *captured) close() {
	_ = c.write.Close()
	_ = c.source.Close()
}

// end ends both outputs: what is printed from now on goes to the log's stream.
func (o *output) end() {
	if os.Stdout == o.stdout.write {
		os.Stdout = o.log
	}
	if os.Stderr == o.stderr.write {
		os.Stderr = o.log
	}
	o.hold.point(o.log)
	o.stdout.end()
	o.stderr.end()
}

// restore puts the process's own outputs back.
func (o *output) restore() {
	o.end()
	o.hold.restore()
	os.Stdout = o.own
	_ = o.stdout.source.Close()
	_ = o.stderr.source.Close()
}
