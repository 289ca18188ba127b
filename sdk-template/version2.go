package notely

import (
	"context"
	"iter"

	"google.golang.org/grpc"

	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"

	notelyv2 "github.com/jackfield-go/jackfield/sdk-template/proto/notely/v2"
)

// client2 runs in the application. It lends approve to the plugin through the broker.
type client2 struct {
	service notelyv2.NoteStoreServiceClient
	broker  *transportgrpc.Broker
}

func newClient2(b *transportgrpc.Broker, conn grpc.ClientConnInterface) (NoteStore, error) {
	return &client2{notelyv2.NewNoteStoreServiceClient(conn), b}, nil
}

func (c *client2) Add(ctx context.Context, text string, approve Approve) (_ Item, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the lending
	req := &notelyv2.AddRequest{Text: text}
	if approve != nil {
		req.ApproverId, err = transportgrpc.Lend[notelyv2.ApproverServiceServer](
			ctx, c.broker, notelyv2.RegisterApproverServiceServer, &approver{approve: approve})
		if err != nil {
			return Item{}, err
		}
	}
	resp, err := c.service.Add(ctx, req)
	return toItem(resp.GetItem()), fromStatus(err)
}

func (c *client2) List(ctx context.Context) iter.Seq2[Item, error] {
	return receive(ctx, c.service.List, &notelyv2.ListRequest{}, (*notelyv2.ListResponse).GetItem)
}

// approver runs in the application, and serves the plugin's calls.
type approver struct {
	notelyv2.UnimplementedApproverServiceServer

	approve Approve
}

func (a *approver) Approve(ctx context.Context, req *notelyv2.ApproveRequest) (*notelyv2.ApproveResponse, error) {
	return &notelyv2.ApproveResponse{}, toStatus(a.approve(ctx, req.GetText()))
}

// server2 runs in the plugin. It borrows approve.
type server2 struct {
	notelyv2.UnimplementedNoteStoreServiceServer

	impl   NoteStore
	broker *transportgrpc.Broker
}

func register2(b *transportgrpc.Broker, r grpc.ServiceRegistrar, impl NoteStore) error {
	notelyv2.RegisterNoteStoreServiceServer(r, &server2{impl: impl, broker: b})
	return nil
}

func (s *server2) Add(ctx context.Context, req *notelyv2.AddRequest) (*notelyv2.AddResponse, error) {
	approve := approveAll
	if id := req.GetApproverId(); id != 0 {
		client, err := transportgrpc.Borrow(ctx, s.broker, id, notelyv2.NewApproverServiceClient)
		if err != nil {
			return nil, err
		}
		approve = func(ctx context.Context, text string) error {
			_, err := client.Approve(ctx, &notelyv2.ApproveRequest{Text: text})
			return fromStatus(err)
		}
	}
	item, err := s.impl.Add(ctx, req.GetText(), approve)
	return &notelyv2.AddResponse{Item: item2(item)}, toStatus(err)
}

func (s *server2) List(_ *notelyv2.ListRequest, stream grpc.ServerStreamingServer[notelyv2.ListResponse]) error {
	return send(s.impl.List(stream.Context()), func(item Item) error {
		return stream.Send(&notelyv2.ListResponse{Item: item2(item)})
	})
}

func item2(item Item) *notelyv2.Item { return &notelyv2.Item{Id: item.ID, Text: item.Text} }
