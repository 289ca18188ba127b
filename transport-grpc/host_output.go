package transportgrpc

import (
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/jackfield-go/jackfield/proto/pluginpb"
)

// maxOutput bounds a message of output, in bytes. Plugins send far smaller ones.
const maxOutput = 4 << 20

// receiveOutput copies what the plugin prints to the sinks, until the plugin or
// the session ends, and returns why it ended.
func (s *session) receiveOutput(stream grpc.ServerStreamingClient[pluginpb.StdioData]) error {
	stdout := s.newSink("stdout", s.link.Stdout)
	stderr := s.newSink("stderr", s.link.Stderr)
	strange := false
	for {
		data, err := stream.Recv()
		if err != nil {
			return err
		}
		switch data.GetChannel() {
		case pluginpb.StdioData_STDOUT:
			stdout.take(data.GetData())
		case pluginpb.StdioData_STDERR:
			stderr.take(data.GetData())
		default:
			if !strange {
				s.link.Logger.Warn("the plugin sent output of an unknown kind; it is dropped",
					"channel", int32(data.GetChannel()), "bytes", len(data.GetData()))
			}
			strange = true
		}
	}
}

// outputEnded tells Quit. Many plugins in other languages have no output to send.
func (s *session) outputEnded(reason error) {
	switch {
	case s.ctx.Err() != nil:
	case status.Code(reason) == codes.ResourceExhausted:
		s.link.Logger.Warn("the plugin sent too much output at once; the rest is lost", "reason", reason)
	default:
		s.link.Logger.Debug("the plugin's output has ended", "reason", reason)
	}
	close(s.printed)
}

// sink takes one of the plugin's outputs. One that fails does not stop the
// plugin: the rest is dropped.
type sink struct {
	session *session
	name    string
	to      io.Writer
	failed  bool
}

func (s *session) newSink(name string, to io.Writer) *sink {
	return &sink{session: s, name: name, to: to}
}

func (s *sink) take(data []byte) {
	if s.failed {
		return
	}
	n, err := s.to.Write(data)
	if err == nil && n < len(data) {
		err = io.ErrShortWrite
	}
	if err != nil {
		s.failed = true
		s.session.link.Logger.Warn("the sink for what the plugin prints failed; the rest is dropped",
			"stream", s.name, "error", err)
	}
}
