package transportgrpc_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// services are what the plugin's reflection lists.
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

func TestReflectionOfTheOldVersionAnswersToo(t *testing.T) {
	h := rigUp(t, setup{}).connect(t)
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	stream, err := grpc_reflection_v1alpha.NewServerReflectionClient(h.conn).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	//nolint:staticcheck // the old version is deprecated, and its tools are about
	err = stream.Send(&grpc_reflection_v1alpha.ServerReflectionRequest{
		MessageRequest: &grpc_reflection_v1alpha.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: "plugin.GRPCBroker"},
	})
	if err != nil {
		t.Fatal(err)
	}
	res, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	files := res.GetFileDescriptorResponse().GetFileDescriptorProto() //nolint:staticcheck // the same
	checkDescription(t, "plugin.GRPCBroker", files)
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
