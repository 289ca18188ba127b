package transportgrpc_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/proto/pluginpb"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
	"github.com/jackfield-go/jackfield/transport-grpc/internal/probepb"
)

// guided is a plugin in another language, written as the guide says: Shutdown is
// answered, and then the server finishes its open streams.
type guided struct {
	pluginpb.UnimplementedGRPCControllerServer
	pluginpb.UnimplementedGRPCStdioServer
	openedBroker

	stopping chan struct{}
	stop     sync.Once
}

func newGuided() *guided {
	return &guided{openedBroker: openedBroker{opened: make(chan struct{}, 10)}, stopping: make(chan struct{})}
}

func (g *guided) register(s *grpc.Server) {
	probepb.RegisterProbeServiceServer(s, &probeServer{impl: testProbe{}})
	pluginpb.RegisterGRPCControllerServer(s, g)
	pluginpb.RegisterGRPCStdioServer(s, g)
	pluginpb.RegisterGRPCBrokerServer(s, g)
}

func (g *guided) Shutdown(context.Context, *pluginpb.Empty) (*pluginpb.Empty, error) {
	g.stop.Do(func() { close(g.stopping) })
	return &pluginpb.Empty{}, nil
}

func (g *guided) StreamStdio(_ *emptypb.Empty, stream grpc.ServerStreamingServer[pluginpb.StdioData]) error {
	if err := stream.Send(&pluginpb.StdioData{Channel: pluginpb.StdioData_STDOUT, Data: []byte("early ")}); err != nil {
		return err
	}
	select {
	case <-g.stopping:
		return stream.Send(&pluginpb.StdioData{Channel: pluginpb.StdioData_STDOUT, Data: []byte("late")})
	case <-stream.Context().Done():
		return stream.Context().Err()
	}
}

// An orderly stop of a server waits for its open streams, in Python for a second.
func TestPermanentStreamsEndWhenAPluginAgreesToLeave(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		plugintest.NoLeaks(t)
		g := newGuided()
		var server *grpc.Server
		address := m.bare(t, func(s *grpc.Server) { server = s; g.register(s) })
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			<-g.stopping
			server.GracefulStop()
		}()
		h, err := m.dial(t, newSockets(t), address, nil)
		if err != nil {
			t.Fatal(err)
		}
		h.echoes(t)
		receive(t, "the broker's stream", g.opened)
		promptly(t, "Quit", func() error { return h.Quit(within(t)) })
		if got := h.stdout.String(); got != "early late" {
			t.Errorf("the plugin's output: %q", got)
		}
		receive(t, "the server's end", stopped)
		receive(t, "the end of the session", h.Done())
	})
}

func TestServerWithFewStreamsIsWarnedOfAndAnswersCalls(t *testing.T) {
	inEach(t, modes, func(t *testing.T, m mode) {
		for limit, want := range map[uint32]struct {
			records   int
			output    string
			brokerErr error
		}{
			1: {2, "", transportgrpc.ErrNoBroker},
			2: {1, "early ", transportgrpc.ErrNoBroker},
			3: {0, "early ", nil},
		} {
			plugintest.NoLeaks(t)
			g := newGuided()
			address := m.bare(t, g.register, grpc.MaxConcurrentStreams(limit))
			h, err := m.dial(t, newSockets(t), address, nil)
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				h.echoes(t)
			}
			if want.brokerErr != nil {
				h.log.wait(t, "nothing can be lent or borrowed")
				if _, err := lendNumbered(within(t), h.broker); !errors.Is(err, want.brokerErr) {
					t.Errorf("limit %d: Lend: %v, want %v", limit, err, want.brokerErr)
				}
			} else {
				receive(t, "the broker's stream", g.opened)
			}
			h.stdout.wait(t, want.output)
			if n := strings.Count(h.log.String(), "takes too few streams"); n != want.records {
				t.Errorf("limit %d: %d records: %s", limit, n, h.log)
			}
			promptly(t, "Quit", func() error { return h.Quit(within(t)) })
		}
	})
}
