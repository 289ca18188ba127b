package reflection

import (
	"cmp"
	"context"
	"net"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	grpcreflection "google.golang.org/grpc/reflection"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/jackfield-go/jackfield/proto/pluginpb"
	"github.com/jackfield-go/jackfield/proto/pluginreflect"
)

// patience bounds what must not hang.
const patience = 20 * time.Second

// asker asks on one stream of either version.
type asker func(*request) (*response, error)

var versions = []struct {
	name string
	open func(context.Context, *grpc.ClientConn) (asker, error)
}{{"v1", openV1}, {"v1alpha", openV1alpha}}

func open(t *testing.T, open func(context.Context, *grpc.ClientConn) (asker, error), conn *grpc.ClientConn) asker {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	ask, err := open(ctx, conn)
	if err != nil {
		t.Fatal(err)
	}
	return ask
}

func openV1(ctx context.Context, conn *grpc.ClientConn) (asker, error) {
	stream, err := reflectionv1.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	if err != nil {
		return nil, err
	}
	return func(req *request) (*response, error) {
		if err := stream.Send(req); err != nil {
			return nil, err
		}
		return stream.Recv()
	}, nil
}

func openV1alpha(ctx context.Context, conn *grpc.ClientConn) (asker, error) {
	stream, err := reflectionv1alpha.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	if err != nil {
		return nil, err
	}
	return func(req *request) (*response, error) {
		old := new(reflectionv1alpha.ServerReflectionRequest) //nolint:staticcheck // deprecated, and its tools are about
		if err := transcode(req, old); err != nil {
			return nil, err
		}
		if err := stream.Send(old); err != nil {
			return nil, err
		}
		answer, err := stream.Recv()
		if err != nil {
			return nil, err
		}
		res := new(response)
		return res, transcode(answer, res)
	}, nil
}

func transcode(from, to proto.Message) error {
	encoded, err := proto.Marshal(from)
	if err != nil {
		return err
	}
	return proto.Unmarshal(encoded, to)
}

func compare(t *testing.T, req *request, ours, theirs asker) {
	t.Helper()
	got, err := ours(req)
	if err != nil {
		t.Fatal(err)
	}
	want, err := theirs(req)
	if err != nil {
		t.Fatal(err)
	}
	gotFiles, wantFiles := takeFiles(t, got), takeFiles(t, want)
	if len(gotFiles) != len(wantFiles) {
		t.Fatalf("got %d files, want %d", len(gotFiles), len(wantFiles))
	}
	for i := range gotFiles {
		checkSame(t, gotFiles[i], wantFiles[i])
	}
	checkSame(t, got, want)
}

// takeFiles takes the files out of an answer, sorted by their names.
func takeFiles(t *testing.T, res *response) []*descriptorpb.FileDescriptorProto {
	t.Helper()
	var files []*descriptorpb.FileDescriptorProto
	for _, encoded := range res.GetFileDescriptorResponse().GetFileDescriptorProto() {
		file := new(descriptorpb.FileDescriptorProto)
		if err := proto.Unmarshal(encoded, file); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	if res.GetFileDescriptorResponse() != nil {
		res.GetFileDescriptorResponse().FileDescriptorProto = nil
	}
	slices.SortFunc(files, func(a, b *descriptorpb.FileDescriptorProto) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return files
}

// serveBoth serves this package's reflection and that of grpc, which know the
// same services and files.
func serveBoth(t *testing.T) (ours, theirs *grpc.ClientConn) {
	t.Helper()
	odd := new(protoregistry.Files)
	for _, file := range oddSet(t).GetFile() {
		decodeFile(t, file, odd)
	}
	files := both{odd, protoregistry.GlobalFiles}
	extensions := allExtensions(t, files)
	ours = serve(t, func(s *grpc.Server) {
		Register(s, Config{Services: s, Files: files, Extensions: extensions})
	})
	theirs = serve(t, func(s *grpc.Server) {
		options := grpcreflection.ServerOptions{Services: s, DescriptorResolver: pluginreflect.Resolver(files), ExtensionResolver: extensions}
		reflectionv1.RegisterServerReflectionServer(s, grpcreflection.NewServerV1(options))
		reflectionv1alpha.RegisterServerReflectionServer(s, grpcreflection.NewServer(options))
	})
	return ours, theirs
}

// allExtensions has those that are linked and those of testdata/odd.
func allExtensions(t *testing.T, files both) *protoregistry.Types {
	t.Helper()
	types := new(protoregistry.Types)
	protoregistry.GlobalTypes.RangeExtensions(func(extension protoreflect.ExtensionType) bool {
		if err := types.RegisterExtension(extension); err != nil {
			t.Fatal(err)
		}
		return true
	})
	for _, name := range []protoreflect.FullName{
		"jackfield.odd.snake_case_name2", "jackfield.odd._leading__double", "jackfield.odd.Base.Scope.in_scope",
		"jackfield.odd.Base.Scope.message_set_extension", "jackfield.odd.odd_oneof",
	} {
		descriptor, err := files.FindDescriptorByName(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := types.RegisterExtension(dynamicpb.NewExtensionType(descriptor.(protoreflect.ExtensionDescriptor))); err != nil {
			t.Fatal(err)
		}
	}
	return types
}

func serve(t *testing.T, register func(*grpc.Server)) *grpc.ClientConn {
	t.Helper()
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	pluginpb.RegisterGRPCBrokerServer(server, pluginpb.UnimplementedGRPCBrokerServer{})
	register(server)
	listener := bufconn.Listen(1 << 16)
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///reflection", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		server.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return conn
}
