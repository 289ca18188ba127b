package notely

import (
	"context"
	"iter"

	"google.golang.org/grpc"

	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"

	notelyv1 "github.com/jackfield-go/jackfield/sdk-template/proto/notely/v1"
)

// client1 runs in the application. It asks for approval itself: version 1 has no callbacks.
type client1 struct {
	service notelyv1.NoteStoreServiceClient
}

func newClient1(_ *transportgrpc.Broker, conn grpc.ClientConnInterface) (NoteStore, error) {
	return &client1{notelyv1.NewNoteStoreServiceClient(conn)}, nil
}

func (c *client1) Add(ctx context.Context, text string, approve Approve) (Item, error) {
	if approve != nil {
		if err := approve(ctx, text); err != nil {
			return Item{}, err
		}
	}
	resp, err := c.service.Add(ctx, &notelyv1.AddRequest{Text: text})
	return toItem(resp.GetItem()), fromStatus(err)
}

func (c *client1) List(ctx context.Context) iter.Seq2[Item, error] {
	return receive(ctx, c.service.List, &notelyv1.ListRequest{}, (*notelyv1.ListResponse).GetItem)
}

// server1 runs in the plugin.
type server1 struct {
	notelyv1.UnimplementedNoteStoreServiceServer

	impl NoteStore
}

func register1(_ *transportgrpc.Broker, r grpc.ServiceRegistrar, impl NoteStore) error {
	notelyv1.RegisterNoteStoreServiceServer(r, &server1{impl: impl})
	return nil
}

func (s *server1) Add(ctx context.Context, req *notelyv1.AddRequest) (*notelyv1.AddResponse, error) {
	item, err := s.impl.Add(ctx, req.GetText(), approveAll)
	return &notelyv1.AddResponse{Item: item1(item)}, toStatus(err)
}

func (s *server1) List(_ *notelyv1.ListRequest, stream grpc.ServerStreamingServer[notelyv1.ListResponse]) error {
	return send(s.impl.List(stream.Context()), func(item Item) error {
		return stream.Send(&notelyv1.ListResponse{Item: item1(item)})
	})
}

func item1(item Item) *notelyv1.Item { return &notelyv1.Item{Id: item.ID, Text: item.Text} }
