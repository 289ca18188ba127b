package notely

import (
	"context"
	"iter"

	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/core"
	notelyv1 "github.com/jackfield-go/jackfield/sdk-template/proto/notely/v1"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// version1 has no way to ask the application. Its client asks before the call,
// so the application sees no difference.
func version1(impl NoteStore) core.Transport {
	return transportgrpc.New(transportgrpc.PluginSet{Name: transportgrpc.PluginFuncs{
		NewServer: func(_ *transportgrpc.Broker, r grpc.ServiceRegistrar) error {
			notelyv1.RegisterNoteStoreServiceServer(r, &server1{impl: impl})
			return nil
		},
		NewClient: func(_ *transportgrpc.Broker, conn grpc.ClientConnInterface) (any, error) {
			return &client1{notelyv1.NewNoteStoreServiceClient(conn)}, nil
		},
	}})
}

// client1 runs in the application.
type client1 struct {
	service notelyv1.NoteStoreServiceClient
}

func (c *client1) Add(ctx context.Context, text string, approve Approve) (Item, error) {
	if approve != nil {
		if err := approve(ctx, text); err != nil {
			return Item{}, err
		}
	}
	resp, err := c.service.Add(ctx, &notelyv1.AddRequest{Text: text})
	return item(resp.GetItem()), fromStatus(err)
}

func (c *client1) List(ctx context.Context) iter.Seq2[Item, error] {
	return receive(ctx, func(ctx context.Context) (grpc.ServerStreamingClient[notelyv1.ListResponse], error) {
		return c.service.List(ctx, &notelyv1.ListRequest{})
	}, func(resp *notelyv1.ListResponse) Item { return item(resp.GetItem()) })
}

// server1 runs in the plugin.
type server1 struct {
	notelyv1.UnimplementedNoteStoreServiceServer

	impl NoteStore
}

func (s *server1) Add(ctx context.Context, req *notelyv1.AddRequest) (*notelyv1.AddResponse, error) {
	added, err := s.impl.Add(ctx, req.GetText(), approveAll)
	if err != nil {
		return nil, toStatus(err)
	}
	return &notelyv1.AddResponse{Item: &notelyv1.Item{Id: added.ID, Text: added.Text}}, nil
}

func (s *server1) List(_ *notelyv1.ListRequest, stream grpc.ServerStreamingServer[notelyv1.ListResponse]) error {
	for listed, err := range s.impl.List(stream.Context()) {
		if err != nil {
			return toStatus(err)
		}
		resp := &notelyv1.ListResponse{Item: &notelyv1.Item{Id: listed.ID, Text: listed.Text}}
		if err := stream.Send(resp); err != nil {
			return err
		}
	}
	return nil
}
