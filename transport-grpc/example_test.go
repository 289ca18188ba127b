package transportgrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/core/runner"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
	pb "github.com/jackfield-go/jackfield/transport-grpc/internal/probepb"
)

// oracle implements a service for plugins, as protoc-gen-go-grpc writes it.
type oracle struct {
	pb.UnimplementedQuestionServiceServer
}

func (oracle) Answer(_ context.Context, req *pb.AnswerRequest) (*pb.AnswerResponse, error) {
	return &pb.AnswerResponse{Answer: "I was asked: " + req.GetQuestion()}, nil
}

// The names of the plugins, and their types: those of generated code, and others.
var (
	oraclePlugin = core.DefineSides[pb.QuestionServiceServer, pb.QuestionServiceClient]("oracle")
	copierPlugin = core.DefineSides[copyFunc, *copierClient]("copier")
)

// exampleVersions is shared by both sides.
var exampleVersions = core.Versions{1: {transportgrpc.New(
	transportgrpc.Service(oraclePlugin, pb.RegisterQuestionServiceServer, pb.NewQuestionServiceClient),
	transportgrpc.Carry(copierPlugin, registerCopier, newCopierClient),
)}}

var exampleHandshake = core.Handshake{MagicCookieKey: "ORACLE_PLUGIN", MagicCookieValue: "delphi"}

// launchExample launches the plugin in this process. A host otherwise gives
// host.Launch a Command, and the main function of a plugin calls plugin.Serve;
// tests have plugintest.Launch.
func launchExample(ctx context.Context) (*host.Client, error) {
	return host.Launch(ctx, host.Config{
		Handshake: exampleHandshake,
		Versions:  exampleVersions,
		Runner: func(cmd runner.Command) (runner.Runner, error) {
			return plugintest.NewPlugin(cmd, plugin.Config{
				Handshake:  exampleHandshake,
				Versions:   exampleVersions,
				Implements: slices.Concat(oraclePlugin.Bind(oracle{}), copierPlugin.Bind(io.Copy)),
			}), nil
		},
	})
}

// Where generated code is all there is to it, no type has to be written for the
// plugin: the host dispenses the generated client.
func ExampleService() {
	ctx := context.Background()
	client, err := launchExample(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	oracle, err := host.Dispense(ctx, client, oraclePlugin)
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := oracle.Answer(ctx, &pb.AnswerRequest{Question: "why?"})
	fmt.Println(res.GetAnswer(), err)
	// Output: I was asked: why? <nil>
}

// copyFunc is the type of a copier.
type copyFunc func(to io.Writer, from io.Reader) (int64, error)

// registerCopier runs in the plugin.
func registerCopier(b *transportgrpc.Broker, r grpc.ServiceRegistrar, impl copyFunc) error {
	pb.RegisterProbeServiceServer(r, &copierServer{copy: impl, broker: b})
	return nil
}

// newCopierClient runs in the host.
func newCopierClient(b *transportgrpc.Broker, conn grpc.ClientConnInterface) (*copierClient, error) {
	return &copierClient{broker: b, client: pb.NewProbeServiceClient(conn)}, nil
}

// copierServer is the plugin's half.
type copierServer struct {
	pb.UnimplementedProbeServiceServer

	copy   copyFunc
	broker *transportgrpc.Broker
}

func (s *copierServer) Ask(ctx context.Context, req *pb.AskRequest) (*pb.AskResponse, error) {
	// The host's object, until this call ends.
	asker, err := transportgrpc.Borrow(ctx, s.broker, req.GetAsker(), pb.NewQuestionServiceClient)
	if err != nil {
		return nil, err
	}
	res, err := asker.Answer(ctx, &pb.AnswerRequest{Question: req.GetQuestion()})
	return &pb.AskResponse{Answer: res.GetAnswer()}, err
}

func (s *copierServer) Copy(ctx context.Context, req *pb.CopyRequest) (*pb.CopyResponse, error) {
	from, err := s.broker.BorrowReader(ctx, req.GetReader())
	if err != nil {
		return nil, err
	}
	defer from.Close()
	to, err := s.broker.BorrowWriter(ctx, req.GetWriter())
	if err != nil {
		return nil, err
	}
	n, err := s.copy(to, from)
	if closeErr := to.Close(); err == nil {
		err = closeErr // only then has everything arrived
	}
	return &pb.CopyResponse{Size: n}, err
}

// copierClient is the host's half.
type copierClient struct {
	broker *transportgrpc.Broker
	client pb.ProbeServiceClient
}

// Ask passes an object of the host's.
func (c *copierClient) Ask(ctx context.Context, asker pb.QuestionServiceServer, question string) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // takes it back
	id, err := transportgrpc.Lend(ctx, c.broker, pb.RegisterQuestionServiceServer, asker)
	if err != nil {
		return "", err
	}
	res, err := c.client.Ask(ctx, &pb.AskRequest{Asker: id, Question: question})
	return res.GetAnswer(), err
}

// Copy passes a writer and a reader of the host's.
func (c *copierClient) Copy(ctx context.Context, to io.Writer, from io.Reader) (int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	writer, err := c.broker.LendWriter(ctx, to)
	if err != nil {
		return 0, err
	}
	reader, err := c.broker.LendReader(ctx, from)
	if err != nil {
		return 0, err
	}
	res, err := c.client.Copy(ctx, &pb.CopyRequest{Writer: writer, Reader: reader})
	return res.GetSize(), err
}

// The host passes an object of its own into a call, and the plugin calls it.
// copierClient.Ask lends it, copierServer.Ask borrows it.
func ExampleLend() {
	ctx := context.Background()
	client, err := launchExample(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	copier, err := host.Dispense(ctx, client, copierPlugin)
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := copier.Ask(ctx, oracle{}, "who asks?")
	fmt.Println(answer, err)
	// Output: I was asked: who asks? <nil>
}

// In the plugin, a passed object is a client like any other.
func ExampleBorrow() {
	ask := func(ctx context.Context, b *transportgrpc.Broker, req *pb.AskRequest) (*pb.AskResponse, error) {
		asker, err := transportgrpc.Borrow(ctx, b, req.GetAsker(), pb.NewQuestionServiceClient)
		if err != nil {
			return nil, err
		}
		res, err := asker.Answer(ctx, &pb.AnswerRequest{Question: req.GetQuestion()})
		return &pb.AskResponse{Answer: res.GetAnswer()}, err
	}
	_ = ask // a method of a plugin's service
}

// Readers and writers are lent as IDs too. copierClient.Copy makes them,
// copierServer.Copy opens them.
func ExampleBroker_LendReader() {
	ctx := context.Background()
	client, err := launchExample(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	copier, err := host.Dispense(ctx, client, copierPlugin)
	if err != nil {
		fmt.Println(err)
		return
	}
	var copied strings.Builder
	n, err := copier.Copy(ctx, &copied, strings.NewReader("one, two, three"))
	fmt.Printf("%d bytes: %s, %v\n", n, &copied, err)
	// Output: 15 bytes: one, two, three, <nil>
}

// Interceptors, stats handlers and limits act on brokered connections too.
func ExampleWithDialOptions() {
	count := 0
	transport := transportgrpc.New(
		transportgrpc.Service(oraclePlugin, pb.RegisterQuestionServiceServer, pb.NewQuestionServiceClient),
		transportgrpc.WithDialOptions(grpc.WithChainUnaryInterceptor(func(
			ctx context.Context, method string, req, reply any, conn *grpc.ClientConn,
			invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
		) error {
			count++
			return invoke(ctx, method, req, reply, conn, opts...)
		})),
		transportgrpc.WithMaxMessageSize(64<<20),
	)
	fmt.Println(transport.Protocol())
	// Output: grpc
}

// Some libraries take the types of gRPC itself: here, to list what a server
// serves, and to ask for the state of a connection.
func ExampleServer() {
	ctx := context.Background()
	connection := core.DefineSides[oracle, *grpc.ClientConn]("connection")
	versions := core.Versions{1: {transportgrpc.New(transportgrpc.Carry(connection,
		func(_ *transportgrpc.Broker, r grpc.ServiceRegistrar, impl oracle) error {
			pb.RegisterQuestionServiceServer(r, impl)
			server, ok := transportgrpc.Server(r)
			if !ok {
				return errors.New("not from this transport")
			}
			_, serves := server.GetServiceInfo()["jackfield.probe.v1.QuestionService"]
			fmt.Println("serves questions:", serves)
			return nil
		},
		func(_ *transportgrpc.Broker, conn grpc.ClientConnInterface) (*grpc.ClientConn, error) {
			client, ok := transportgrpc.ClientConn(conn)
			if !ok {
				return nil, errors.New("not from this transport")
			}
			return client, nil
		},
	))}}
	client, err := host.Launch(ctx, host.Config{
		Handshake: exampleHandshake,
		Versions:  versions,
		Runner: func(cmd runner.Command) (runner.Runner, error) {
			return plugintest.NewPlugin(cmd, plugin.Config{
				Handshake: exampleHandshake, Versions: versions, Implements: connection.Bind(oracle{}),
			}), nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	conn, err := host.Dispense(ctx, client, connection)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("the connection is", conn.GetState())
	// Output:
	// serves questions: true
	// the connection is READY
}

// memo is a plugin's implementation that calls a service of its host.
type memo struct {
	pb.UnimplementedQuestionServiceServer

	host pb.QuestionServiceClient
}

func (m *memo) Answer(ctx context.Context, req *pb.AnswerRequest) (*pb.AnswerResponse, error) {
	return m.host.Answer(ctx, req)
}

var memoPlugin = core.DefineSides[*memo, pb.QuestionServiceClient]("memo")

// registerMemo runs in the plugin. The connection can be used as long as the plugin runs.
func registerMemo(b *transportgrpc.Broker, r grpc.ServiceRegistrar, impl *memo) error {
	impl.host = pb.NewQuestionServiceClient(b.Host())
	pb.RegisterQuestionServiceServer(r, impl)
	return nil
}

func newMemoClient(_ *transportgrpc.Broker, conn grpc.ClientConnInterface) (pb.QuestionServiceClient, error) {
	return pb.NewQuestionServiceClient(conn), nil
}

func ExampleWithHostServices() {
	ctx := context.Background()
	versions := core.Versions{1: {transportgrpc.New(
		transportgrpc.Carry(memoPlugin, registerMemo, newMemoClient),
		transportgrpc.WithHostServices(func(_ *transportgrpc.Broker, r grpc.ServiceRegistrar) error {
			pb.RegisterQuestionServiceServer(r, oracle{})
			return nil
		}),
	)}}
	client, err := host.Launch(ctx, host.Config{
		Handshake: exampleHandshake,
		Versions:  versions,
		Runner: func(cmd runner.Command) (runner.Runner, error) { // in place of a process
			return plugintest.NewPlugin(cmd, plugin.Config{
				Handshake: exampleHandshake, Versions: versions, Implements: memoPlugin.Bind(&memo{}),
			}), nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	asker, err := host.Dispense(ctx, client, memoPlugin)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := asker.Answer(ctx, &pb.AnswerRequest{Question: "of what?"})
	fmt.Println(resp.GetAnswer(), err)
	// Output: I was asked: of what? <nil>
}
