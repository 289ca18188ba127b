package pluginpb_test

import (
	"testing"

	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/proto/pluginpb"
)

// The paths are part of the wire (protocol §5). They must not change with the messages' Go
// names.
func TestMethodsHaveThePathsOfTheWire(t *testing.T) {
	for _, test := range []struct{ constant, want string }{
		{pluginpb.GRPCBroker_StartStream_FullMethodName, "/plugin.GRPCBroker/StartStream"},
		{pluginpb.GRPCController_Shutdown_FullMethodName, "/plugin.GRPCController/Shutdown"},
		{pluginpb.GRPCStdio_StreamStdio_FullMethodName, "/plugin.GRPCStdio/StreamStdio"},
	} {
		if test.constant != test.want {
			t.Errorf("got %s, want %s", test.constant, test.want)
		}
	}
}

func TestServersAnswerUnderThePathsOfTheWire(t *testing.T) {
	server := grpc.NewServer()
	pluginpb.RegisterGRPCBrokerServer(server, pluginpb.UnimplementedGRPCBrokerServer{})
	pluginpb.RegisterGRPCControllerServer(server, pluginpb.UnimplementedGRPCControllerServer{})
	pluginpb.RegisterGRPCStdioServer(server, pluginpb.UnimplementedGRPCStdioServer{})

	info := server.GetServiceInfo()
	for service, want := range map[string]grpc.MethodInfo{
		"plugin.GRPCBroker":     {Name: "StartStream", IsClientStream: true, IsServerStream: true},
		"plugin.GRPCController": {Name: "Shutdown"},
		"plugin.GRPCStdio":      {Name: "StreamStdio", IsServerStream: true},
	} {
		methods := info[service].Methods
		if len(methods) != 1 || methods[0] != want {
			t.Errorf("%s: got %+v, want %+v", service, methods, want)
		}
	}
}
