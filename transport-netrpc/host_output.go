package transportnetrpc

import (
	"io"

	"github.com/jackfield-go/jackfield/yamux"
)

// drain copies the plugin's output to its sink. A failed sink does not stop the
// plugin: the rest is dropped.
func (c *connection) drain(name string, sink io.Writer, stream *yamux.Stream) {
	defer func() {
		if c.undrained.Add(-1) == 0 {
			close(c.printed)
		}
	}()
	guarded := &sinkWriter{sink: sink}
	_, err := io.Copy(guarded, stream)
	if guarded.err == nil {
		return
	}
	c.session.link.Logger.Warn("the sink for the plugin's output failed; the rest is dropped",
		"stream", name, "error", guarded.err)
	if err != nil {
		_, _ = io.Copy(io.Discard, stream)
	}
}

// sinkWriter keeps the sink's error, to tell it from the stream's.
type sinkWriter struct {
	sink io.Writer
	err  error
}

func (w *sinkWriter) Write(p []byte) (int, error) {
	n, err := w.sink.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	w.err = err
	return n, err
}
