package transportgrpc_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// services are the list of the plugin's reflection.
var services = []string{
	"grpc.health.v1.Health", "plugin.GRPCBroker", "plugin.GRPCController", "plugin.GRPCStdio", "jackfield.probe.v1.ProbeService",
}

func TestReflectionListsAndDescribesTheServices(t *testing.T) {
	h := rigUp(t, setup{}).connect(t)
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	stream, err := grpc_reflection_v1.NewServerReflectionClient(h.conn).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(req *grpc_reflection_v1.ServerReflectionRequest) *grpc_reflection_v1.ServerReflectionResponse {
		t.Helper()
		if err := stream.Send(req); err != nil {
			t.Fatal(err)
		}
		res, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	var listed []string
	for _, service := range ask(&grpc_reflection_v1.ServerReflectionRequest{
		MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_ListServices{},
	}).GetListServicesResponse().GetService() {
		listed = append(listed, service.GetName())
	}
	for _, service := range services {
		if !slices.Contains(listed, service) {
			t.Errorf("%s is not listed among %v", service, listed)
		}
		checkDescription(t, service, ask(&grpc_reflection_v1.ServerReflectionRequest{
			MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: service},
		}).GetFileDescriptorResponse().GetFileDescriptorProto())
	}
}

// checkDescription expects one of the files to have the service.
func checkDescription(t *testing.T, service string, files [][]byte) {
	t.Helper()
	for _, encoded := range files {
		file := new(descriptorpb.FileDescriptorProto)
		if err := proto.Unmarshal(encoded, file); err != nil {
			t.Fatal(err)
		}
		for _, described := range file.GetService() {
			if fmt.Sprintf("%s.%s", file.GetPackage(), described.GetName()) == service {
				return
			}
		}
	}
	t.Errorf("%s is not described in %d files", service, len(files))
}

// ask asks a plugin's reflection, in either version.
type ask func(*grpc_reflection_v1.ServerReflectionRequest) (*grpc_reflection_v1.ServerReflectionResponse, error)

// reflections open a stream of each version.
var reflections = []struct {
	name string
	open func(ctx context.Context, conn grpc.ClientConnInterface) (ask, error)
}{
	{"v1", func(ctx context.Context, conn grpc.ClientConnInterface) (ask, error) {
		stream, err := grpc_reflection_v1.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
		return func(req *grpc_reflection_v1.ServerReflectionRequest) (*grpc_reflection_v1.ServerReflectionResponse, error) {
			if err := stream.Send(req); err != nil {
				return nil, err
			}
			return stream.Recv()
		}, err
	}},
	{"v1alpha", func(ctx context.Context, conn grpc.ClientConnInterface) (ask, error) {
		stream, err := grpc_reflection_v1alpha.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
		return func(req *grpc_reflection_v1.ServerReflectionRequest) (*grpc_reflection_v1.ServerReflectionResponse, error) {
			older := new(grpc_reflection_v1alpha.ServerReflectionRequest) //nolint:staticcheck // the old version is deprecated, and its tools are about
			if err := errors.Join(transcode(req, older), stream.Send(older)); err != nil {
				return nil, err
			}
			answer, err := stream.Recv()
			if err != nil {
				return nil, err
			}
			res := new(grpc_reflection_v1.ServerReflectionResponse)
			return res, transcode(answer, res)
		}, err
	}},
}

func transcode(from, to proto.Message) error {
	encoded, err := proto.Marshal(from)
	if err != nil {
		return err
	}
	return proto.Unmarshal(encoded, to)
}

// Tools find the protocol's own messages by the names of the wire, though Go has
// them under others.
func TestReflectionKnowsTheNamesOfTheWire(t *testing.T) {
	h := rigUp(t, setup{}).connect(t)
	for _, version := range reflections {
		t.Run(version.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(within(t))
			defer cancel()
			ask, err := version.open(ctx, h.conn)
			if err != nil {
				t.Fatal(err)
			}
			res, err := ask(&grpc_reflection_v1.ServerReflectionRequest{
				MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_FileByFilename{FileByFilename: "plugin/stdio.proto"},
			})
			if err != nil {
				t.Fatal(err)
			}
			checkFile(t, "the path", "plugin/stdio.proto", res)
			checkFile(t, "its import", "google/protobuf/empty.proto", res)
			for _, test := range []struct{ symbol, path string }{
				{"plugin.GRPCBroker", "plugin/broker.proto"},
				{"plugin.GRPCStdio.StreamStdio", "plugin/stdio.proto"},
				{"plugin.ConnInfo", "plugin/broker.proto"},
				{"plugin.ConnInfo.Knock", "plugin/broker.proto"},
				{"plugin.ConnInfo.Knock.ack", "plugin/broker.proto"},
				{"no.such.Symbol", ""}, // the stream goes on
				{"plugin.StdioData.Channel", "plugin/stdio.proto"},
				{"plugin.StdioData.STDERR", "plugin/stdio.proto"},
				{"plugin.Empty", "plugin/controller.proto"},
				{"grpc.health.v1.Health.Watch", "grpc/health/v1/health.proto"},
				{"grpc.reflection.v1.ServerReflection", "grpc/reflection/v1/reflection.proto"},
				{"jackfield.probe.v1.EchoRequest.data", "jackfield/probe/v1/probe.proto"},
			} {
				res, err := ask(&grpc_reflection_v1.ServerReflectionRequest{
					MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: test.symbol},
				})
				if err != nil {
					t.Fatalf("%s: %v", test.symbol, err)
				}
				checkFile(t, test.symbol, test.path, res)
			}
		})
	}
}

// checkFile expects a file of the path in the answer; no path means
// an unknown symbol.
func checkFile(t *testing.T, what, path string, res *grpc_reflection_v1.ServerReflectionResponse) {
	t.Helper()
	var got []string
	for _, encoded := range res.GetFileDescriptorResponse().GetFileDescriptorProto() {
		file := new(descriptorpb.FileDescriptorProto)
		if err := proto.Unmarshal(encoded, file); err != nil {
			t.Fatal(err)
		}
		got = append(got, file.GetName())
	}
	code := codes.Code(res.GetErrorResponse().GetErrorCode())
	if path == "" && code != codes.NotFound || path != "" && !slices.Contains(got, path) {
		t.Errorf("%s: got the files %v and the code %v, want %q", what, got, code, path)
	}
}

func TestReflectionCanBeLeftOut(t *testing.T) {
	h := rigUp(t, setup{plugin: []transportgrpc.Option{transportgrpc.WithoutReflection()}}).connect(t)
	h.echoes(t)
	stream, err := grpc_reflection_v1.NewServerReflectionClient(h.conn).ServerReflectionInfo(within(t))
	if err == nil {
		_, err = stream.Recv()
	}
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("got %v, want the code Unimplemented", err)
	}
}
