package reflection

import (
	"errors"
	"io"
	"maps"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

type (
	request  = reflectionv1.ServerReflectionRequest
	response = reflectionv1.ServerReflectionResponse
)

var (
	errNoServer   = status.Error(codes.Internal, "reflection is not what was registered as reflection")
	errNoQuestion = status.Error(codes.InvalidArgument, "the request asks nothing that this server knows of")
)

// server answers any number of streams.
type server struct {
	reflectionv1.UnimplementedServerReflectionServer

	services Services
	library  *library
}

// ServerReflectionInfo answers question after question. A question that has no
// answer gets an error in its answer, and the next one may follow.
func (s *server) ServerReflectionInfo(stream grpc.BidiStreamingServer[request, response]) error {
	c := conversation{server: s, sent: make(map[string]bool)}
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(c.answer(req)); err != nil {
			return err
		}
	}
}

// conversation is one stream.
type conversation struct {
	*server

	sent map[string]bool // paths of files that the other side has
}

func (c *conversation) answer(req *request) *response {
	res := &response{ValidHost: req.GetHost(), OriginalRequest: req}
	if err := c.fill(res, req); err != nil {
		res.MessageResponse = &reflectionv1.ServerReflectionResponse_ErrorResponse{
			ErrorResponse: &reflectionv1.ErrorResponse{
				ErrorCode:    int32(status.Code(err)),
				ErrorMessage: status.Convert(err).Message(),
			},
		}
	}
	return res
}

func (c *conversation) fill(res *response, req *request) error {
	switch question := req.GetMessageRequest().(type) {
	case *reflectionv1.ServerReflectionRequest_FileByFilename:
		file, err := c.library.byPath(question.FileByFilename)
		if err != nil {
			return notFound(err)
		}
		return c.fillFiles(res, file)
	case *reflectionv1.ServerReflectionRequest_FileContainingSymbol:
		file, err := c.library.bySymbol(protoreflect.FullName(question.FileContainingSymbol))
		if err != nil {
			return notFound(err)
		}
		return c.fillFiles(res, file)
	case *reflectionv1.ServerReflectionRequest_FileContainingExtension:
		extension := question.FileContainingExtension
		file, err := c.library.byExtension(
			protoreflect.FullName(extension.GetContainingType()), protoreflect.FieldNumber(extension.GetExtensionNumber()))
		if err != nil {
			return notFound(err)
		}
		return c.fillFiles(res, file)
	case *reflectionv1.ServerReflectionRequest_AllExtensionNumbersOfType:
		return c.fillNumbers(res, question.AllExtensionNumbersOfType)
	case *reflectionv1.ServerReflectionRequest_ListServices:
		c.fillServices(res)
		return nil
	default:
		return errNoQuestion
	}
}

func notFound(err error) error { return status.Error(codes.NotFound, err.Error()) }

// fillFiles answers with a file and what it imports.
func (c *conversation) fillFiles(res *response, file *descriptorpb.FileDescriptorProto) error {
	files, err := c.withImports(file)
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	res.MessageResponse = &reflectionv1.ServerReflectionResponse_FileDescriptorResponse{
		FileDescriptorResponse: &reflectionv1.FileDescriptorResponse{FileDescriptorProto: files},
	}
	return nil
}

// withImports encodes a file and what it imports, directly or not, without what
// the stream has carried already. The file itself is there always, for a tool
// may look for its answer in this one message. Imports that the program does not
// have are left out, as it works without them.
func (c *conversation) withImports(file *descriptorpb.FileDescriptorProto) ([][]byte, error) {
	c.sent[file.GetName()] = true
	var files [][]byte
	for queue := []*descriptorpb.FileDescriptorProto{file}; len(queue) > 0; queue = queue[1:] {
		encoded, err := proto.Marshal(queue[0])
		if err != nil {
			return nil, err
		}
		files = append(files, encoded)
		for _, path := range queue[0].GetDependency() {
			if c.sent[path] {
				continue
			}
			if imported, err := c.library.byPath(path); err == nil {
				c.sent[path] = true
				queue = append(queue, imported)
			}
		}
	}
	return files, nil
}

func (c *conversation) fillNumbers(res *response, message string) error {
	numbers, err := c.library.extensionNumbers(protoreflect.FullName(message))
	if err != nil {
		return notFound(err)
	}
	res.MessageResponse = &reflectionv1.ServerReflectionResponse_AllExtensionNumbersResponse{
		AllExtensionNumbersResponse: &reflectionv1.ExtensionNumberResponse{
			BaseTypeName:    message,
			ExtensionNumber: numbers,
		},
	}
	return nil
}

func (c *conversation) fillServices(res *response) {
	list := new(reflectionv1.ListServiceResponse)
	for _, name := range slices.Sorted(maps.Keys(c.services.GetServiceInfo())) {
		list.Service = append(list.Service, &reflectionv1.ServiceResponse{Name: name})
	}
	res.MessageResponse = &reflectionv1.ServerReflectionResponse_ListServicesResponse{ListServicesResponse: list}
}
