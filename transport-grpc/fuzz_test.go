package transportgrpc_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/proto/pluginpb"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// asIs is a codec for raw bytes.
type asIs struct{}

func (asIs) Marshal(v any) ([]byte, error) {
	if raw, ok := v.([]byte); ok {
		return raw, nil
	}
	return proto.Marshal(v.(proto.Message))
}

func (asIs) Unmarshal([]byte, any) error { return nil }

func (asIs) Name() string { return "proto" }

// rawPlugin is a plugin sending the fuzzer's bytes as messages on a stream of
// the protocol's, and says when it has.
type rawPlugin struct {
	address string

	mu       sync.Mutex
	messages [][]byte
}

func newRawPlugin(f *testing.F, service, method string) *rawPlugin {
	f.Helper()
	p := new(rawPlugin)
	listener, err := newSockets(f).listen(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	p.address = listener.AnnounceAddress
	server := grpc.NewServer(grpc.ForceServerCodec(asIs{}))
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: service,
		Streams: []grpc.StreamDesc{{
			StreamName: method, ServerStreams: true, ClientStreams: true,
			Handler: func(_ any, stream grpc.ServerStream) error { return p.send(stream) },
		}},
	}, nil)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	f.Cleanup(func() {
		server.Stop()
		<-served
	})
	return p
}

func (p *rawPlugin) send(stream grpc.ServerStream) error {
	p.mu.Lock()
	messages := p.messages
	p.mu.Unlock()
	for _, message := range messages {
		if err := stream.SendMsg(message); err != nil {
			return err
		}
	}
	return nil
}

// host connects one, lets use see what the messages did to it, and expects that
// it goes on.
func (p *rawPlugin) host(t *testing.T, messages [][]byte, change func(*core.HostLink), use func(context.Context, *transportgrpc.Broker)) {
	t.Helper()
	p.mu.Lock()
	p.messages = messages
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	link := core.HostLink{
		ConnectionTimeout: core.DefaultConnectionTimeout,
		Plugin:            "plugin",
		Logger:            slog.New(slog.DiscardHandler),
		Stdout:            io.Discard, Stderr: io.Discard,
		Dial:        func(ctx context.Context) (net.Conn, error) { return dialAddress(ctx, "unix", p.address) },
		DialAddress: func(context.Context, string, string) (net.Conn, error) { return nil, errExpected },
		Listen:      func(context.Context) (core.Listener, error) { return core.Listener{}, errExpected },
		Exited:      make(chan struct{}),
		Explain:     func(_ context.Context, err error) error { return err },
	}
	change(&link)
	session, err := transportgrpc.New(handles).Dial(ctx, link)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	made, err := session.Dispense(ctx, "it")
	if err != nil {
		t.Fatal(err)
	}
	use(ctx, made.(handle).broker)
	if err := session.Ping(ctx); err != nil {
		t.Errorf("the host does not go on: %v", err)
	}
}

// FuzzStdioData sends bytes as messages of output. What the sinks get is what the
// messages hold.
func FuzzStdioData(f *testing.F) {
	for channel := range pluginpb.StdioData_Channel(4) {
		message, err := proto.Marshal(&pluginpb.StdioData{Channel: channel, Data: []byte("text")})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(message, message)
	}
	f.Add([]byte{}, []byte{0xff})
	f.Add([]byte{0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, []byte{0x12, 0x80, 0x80, 0x80, 0x80, 0x08})
	p := newRawPlugin(f, "plugin.GRPCStdio", "StreamStdio")
	f.Fuzz(func(t *testing.T, first, second []byte) {
		want := make(map[pluginpb.StdioData_Channel]string)
		for _, message := range [][]byte{first, second} {
			data := new(pluginpb.StdioData)
			if proto.Unmarshal(message, data) != nil {
				break // it ends the stream
			}
			want[data.GetChannel()] += string(data.GetData())
		}
		stdout, stderr, ended := newLog(), newLog(), newLog()
		p.host(t, [][]byte{first, second}, func(link *core.HostLink) {
			link.Stdout, link.Stderr = stdout, stderr
			link.Logger = ended.logger(slog.LevelDebug)
		}, func(context.Context, *transportgrpc.Broker) { ended.wait(t, "output has ended") })
		if got := stdout.String(); got != want[pluginpb.StdioData_STDOUT] {
			t.Errorf("stdout: got %q, want %q", got, want[pluginpb.StdioData_STDOUT])
		}
		if got := stderr.String(); got != want[pluginpb.StdioData_STDERR] {
			t.Errorf("stderr: got %q, want %q", got, want[pluginpb.StdioData_STDERR])
		}
	})
}

// FuzzConnInfo sends bytes as messages of the broker's. Nothing is dialled but
// what an offer names, and that is a network and an address.
func FuzzConnInfo(f *testing.F) {
	for _, info := range []*pluginpb.ConnInfo{
		{ServiceId: 1, Network: "unix", Address: "/socket"},
		{ServiceId: 1, Network: "tcp", Address: "127.0.0.1:1"},
		{ServiceId: 1, Network: "ip", Address: "\x00"},
		{ServiceId: 1, Knock: &pluginpb.ConnInfo_Knock{Knock: true}},
		{ServiceId: 1, Knock: &pluginpb.ConnInfo_Knock{Knock: true, Ack: true, Error: "no"}},
		{ServiceId: 1 << 31, Network: "unix", Address: strings.Repeat("x", 5000)},
	} {
		message, err := proto.Marshal(info)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(message, message)
	}
	f.Add([]byte{0x08}, protowire.AppendTag(nil, 4, protowire.BytesType))
	p := newRawPlugin(f, "plugin.GRPCBroker", "StartStream")
	f.Fuzz(func(t *testing.T, first, second []byte) {
		p.host(t, [][]byte{first, second}, func(link *core.HostLink) {
			link.DialAddress = func(_ context.Context, network, address string) (net.Conn, error) {
				if network != "unix" && network != "tcp" || address == "" || len(address) > 4096 || strings.Contains(address, "\x00") {
					t.Errorf("%q %q was dialled", network, address)
				}
				return nil, errExpected
			}
		}, func(ctx context.Context, b *transportgrpc.Broker) {
			ctx, cancel := context.WithTimeout(ctx, patience/2)
			defer cancel()
			start := time.Now()
			if conn, err := b.Client(ctx, 1); err == nil {
				conn.Close()
				t.Error("it was dialled")
			} else if time.Since(start) > prompt {
				t.Errorf("the dial waited: %v", err)
			}
		})
	})
}
