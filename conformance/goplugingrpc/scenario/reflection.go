package scenario

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// reflected returns the services listed by every plugin, each with the shape of one method
// and its messages: the wire's names and numbers.
func reflected() map[string]string {
	return map[string]string{
		"conformance.v1.ProbeService": "Callback(broker_id=1:uint32 question=2:string times=3:uint32 size=4:uint32)" +
			" returns (answer=1:string answered_by=2:uint32)",
		"grpc.health.v1.Health":  "Check(service=1:string) returns (status=1:enum)",
		"plugin.GRPCBroker":      "StartStream(stream service_id=1:uint32 network=2:string address=3:string knock=4:message) returns (stream service_id=1:uint32 network=2:string address=3:string knock=4:message)",
		"plugin.GRPCController":  "Shutdown() returns ()",
		"plugin.GRPCStdio":       "StreamStdio() returns (stream channel=1:enum data=2:bytes)",
		reflectionv1Service:      "",
		reflectionv1alphaService: "",
	}
}

const (
	reflectionv1Service      = "grpc.reflection.v1.ServerReflection"
	reflectionv1alphaService = "grpc.reflection.v1alpha.ServerReflection"
)

// reflection lists the plugin's services by both versions of the reflection protocol, and
// reads their descriptors.
func reflection(ctx context.Context, r *Run) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the streams
	asker, err := newReflector(ctx, r)
	if err != nil {
		return err
	}
	services, err := asker.services()
	if err != nil {
		return err
	}
	r.See("services", services)
	alpha, err := servicesV1Alpha(ctx, r)
	if err != nil {
		return err
	}
	want := slices.Sorted(maps.Keys(reflected()))
	err = errors.Join(
		expect("services", fmt.Sprint(services), fmt.Sprint(want)),
		expect("services by v1alpha", fmt.Sprint(alpha), fmt.Sprint(want)),
	)
	for _, service := range want {
		shape, shapeErr := asker.shape(service)
		if expected := reflected()[service]; expected != "" && shapeErr == nil {
			shapeErr = expect(service, shape, expected)
		}
		err = errors.Join(err, shapeErr)
	}
	return err
}

// reflector queries a server by v1.
type reflector struct {
	stream reflectionv1.ServerReflection_ServerReflectionInfoClient
}

func newReflector(ctx context.Context, r *Run) (reflector, error) {
	stream, err := reflectionv1.NewServerReflectionClient(r.Probe.Conn).ServerReflectionInfo(ctx)
	if err != nil {
		return reflector{}, fmt.Errorf("reflection: %w", err)
	}
	return reflector{stream}, nil
}

func (r reflector) ask(request *reflectionv1.ServerReflectionRequest) (*reflectionv1.ServerReflectionResponse, error) {
	if err := r.stream.Send(request); err != nil {
		return nil, fmt.Errorf("reflection: %w", err)
	}
	answer, err := r.stream.Recv()
	if err != nil {
		return nil, fmt.Errorf("reflection: %w", err)
	}
	if failed := answer.GetErrorResponse(); failed != nil {
		return nil, fmt.Errorf("reflection: %v: %d %s", request, failed.GetErrorCode(), failed.GetErrorMessage())
	}
	return answer, nil
}

// services lists the server's services, sorted.
func (r reflector) services() ([]string, error) {
	answer, err := r.ask(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{},
	})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, service := range answer.GetListServicesResponse().GetService() {
		names = append(names, service.GetName())
	}
	slices.Sort(names)
	return names, nil
}

// shape describes the service's first method that appears in reflected.
func (r reflector) shape(service string) (string, error) {
	answer, err := r.ask(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: service},
	})
	if err != nil {
		return "", err
	}
	files, err := r.linked(answer.GetFileDescriptorResponse().GetFileDescriptorProto())
	if err != nil {
		return "", fmt.Errorf("the descriptors of %s: %w", service, err)
	}
	found, err := files.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		return "", fmt.Errorf("the descriptors of %s: %w", service, err)
	}
	descriptor, ok := found.(protoreflect.ServiceDescriptor)
	if !ok {
		return "", fmt.Errorf("%s is a %T", service, found)
	}
	for i := range descriptor.Methods().Len() {
		method := descriptor.Methods().Get(i)
		if text := describeMethod(method); text == reflected()[service] {
			return text, nil
		}
	}
	return describeMethod(descriptor.Methods().Get(0)), nil
}

// linked builds descriptors from the server's answers, and asks it for missing imports.
func (r reflector) linked(sent [][]byte) (*protoregistry.Files, error) {
	set, have := &descriptorpb.FileDescriptorSet{}, make(map[string]bool)
	for len(sent) > 0 {
		file := &descriptorpb.FileDescriptorProto{}
		if err := proto.Unmarshal(sent[0], file); err != nil {
			return nil, err
		}
		sent = sent[1:]
		if have[file.GetName()] {
			continue
		}
		have[file.GetName()] = true
		set.File = append(set.File, file)
		for _, name := range file.GetDependency() {
			if have[name] {
				continue
			}
			answer, err := r.ask(&reflectionv1.ServerReflectionRequest{
				MessageRequest: &reflectionv1.ServerReflectionRequest_FileByFilename{FileByFilename: name},
			})
			if err != nil {
				return nil, err
			}
			sent = append(sent, answer.GetFileDescriptorResponse().GetFileDescriptorProto()...)
		}
	}
	return protodesc.NewFiles(set)
}

func describeMethod(method protoreflect.MethodDescriptor) string {
	side := func(streams bool, message protoreflect.MessageDescriptor) string {
		text := ""
		if streams {
			text = "stream "
		}
		for i := range message.Fields().Len() {
			field := message.Fields().Get(i)
			if i > 0 {
				text += " "
			}
			text += fmt.Sprintf("%s=%d:%v", field.Name(), field.Number(), field.Kind())
		}
		return text
	}
	return fmt.Sprintf("%s(%s) returns (%s)", method.Name(),
		side(method.IsStreamingClient(), method.Input()), side(method.IsStreamingServer(), method.Output()))
}

// servicesV1Alpha lists the services by the older protocol, sorted.
//
//nolint:staticcheck // deprecated, but tools still use it
func servicesV1Alpha(ctx context.Context, r *Run) ([]string, error) {
	stream, err := reflectionv1alpha.NewServerReflectionClient(r.Probe.Conn).ServerReflectionInfo(ctx)
	if err != nil {
		return nil, fmt.Errorf("reflection by v1alpha: %w", err)
	}
	err = stream.Send(&reflectionv1alpha.ServerReflectionRequest{
		MessageRequest: &reflectionv1alpha.ServerReflectionRequest_ListServices{},
	})
	if err != nil {
		return nil, fmt.Errorf("reflection by v1alpha: %w", err)
	}
	answer, err := stream.Recv()
	if err != nil {
		return nil, fmt.Errorf("reflection by v1alpha: %w", err)
	}
	var names []string
	for _, service := range answer.GetListServicesResponse().GetService() {
		names = append(names, service.GetName())
	}
	slices.Sort(names)
	return names, nil
}
