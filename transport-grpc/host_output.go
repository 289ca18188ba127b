package transportgrpc

import (
	"io"
	"log/slog"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/proto/pluginpb"
)

// maxOutput bounds a message of output, in bytes. Plugins send far smaller ones.
const maxOutput = 4 << 20

// sinks take the plugin's output.
type sinks struct {
	link           core.HostLink
	stdout, stderr *sink
	strange        bool // output of an unknown kind has come
}

func newSinks(link core.HostLink) *sinks {
	return &sinks{
		link:   link,
		stdout: &sink{logger: link.Logger, name: "stdout", to: link.Stdout},
		stderr: &sink{logger: link.Logger, name: "stderr", to: link.Stderr},
	}
}

// receive copies the plugin's output to the sinks, until the stream ends, and returns
// the reason of the end.
func (s *sinks) receive(stream grpc.ServerStreamingClient[pluginpb.StdioData]) error {
	for {
		data, err := stream.Recv()
		if err != nil {
			return err
		}
		switch data.GetChannel() {
		case pluginpb.StdioData_STDOUT:
			s.stdout.take(data.GetData())
		case pluginpb.StdioData_STDERR:
			s.stderr.take(data.GetData())
		default:
			if !s.strange {
				s.link.Logger.Warn("the plugin sent output of an unknown kind; it is dropped",
					"channel", int32(data.GetChannel()), "bytes", len(data.GetData()))
			}
			s.strange = true
		}
	}
}

// outputEnded tells Quit. Many plugins in other languages have no output to send.
func (s *session) outputEnded(reason error) {
	switch {
	case s.streams.Err() != nil:
	case status.Code(reason) == codes.ResourceExhausted:
		s.link.Logger.Warn("the plugin sent too much output at once; the rest is lost", "reason", reason)
	default:
		s.link.Logger.Debug("the plugin's output has ended", "reason", reason)
	}
	close(s.printed)
}

// sink takes one of the plugin's outputs. A failed sink does not stop the plugin: the
// rest is dropped.
type sink struct {
	logger *slog.Logger
	name   string
	to     io.Writer
	failed bool
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
		s.logger.Warn("the sink for the plugin's output failed; the rest is dropped",
			"stream", s.name, "error", err)
	}
}
