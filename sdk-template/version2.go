package notely

import (
	"context"
	"iter"

	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/core"
	notelyv2 "github.com/jackfield-go/jackfield/sdk-template/proto/notely/v2"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// version2 passes approve through the broker: the client lends it, and the
// server borrows it.
func version2(impl NoteStore) core.Transport {
	return transportgrpc.New(transportgrpc.PluginSet{Name: transportgrpc.PluginFuncs{
		NewServer: func(b *transportgrpc.Broker, r grpc.ServiceRegistrar) error {
			notelyv2.RegisterNoteStoreServiceServer(r, &server2{impl: impl, broker: b})
			return nil
		},
		NewClient: func(b *transportgrpc.Broker, conn grpc.ClientConnInterface) (any, error) {
			return &client2{notelyv2.NewNoteStoreServiceClient(conn), b}, nil
		},
	}})
}

// client2 runs in the application.
type client2 struct {
	service notelyv2.NoteStoreServiceClient
	broker  *transportgrpc.Broker
}

func (c *client2) Add(ctx context.Context, text string, approve Approve) (Item, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the lending
	req := &notelyv2.AddRequest{Text: text}
	if approve != nil {
		var err error
		req.ApproverId, err = transportgrpc.Lend[notelyv2.ApproverServiceServer](
			ctx, c.broker, notelyv2.RegisterApproverServiceServer, &approver{approve: approve})
		if err != nil {
			return Item{}, err
		}
	}
	resp, err := c.service.Add(ctx, req)
	return item(resp.GetItem()), fromStatus(err)
}

func (c *client2) List(ctx context.Context) iter.Seq2[Item, error] {
	return receive(ctx, func(ctx context.Context) (grpc.ServerStreamingClient[notelyv2.ListResponse], error) {
		return c.service.List(ctx, &notelyv2.ListRequest{})
	}, func(resp *notelyv2.ListResponse) Item { return item(resp.GetItem()) })
}

// approver runs in the application: the plugin calls it.
type approver struct {
	notelyv2.UnimplementedApproverServiceServer

	approve Approve
}

func (a *approver) Approve(ctx context.Context, req *notelyv2.ApproveRequest) (*notelyv2.ApproveResponse, error) {
	return &notelyv2.ApproveResponse{}, toStatus(a.approve(ctx, req.GetText()))
}

// server2 runs in the plugin.
type server2 struct {
	notelyv2.UnimplementedNoteStoreServiceServer

	impl   NoteStore
	broker *transportgrpc.Broker
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
	added, err := s.impl.Add(ctx, req.GetText(), approve)
	if err != nil {
		return nil, toStatus(err)
	}
	return &notelyv2.AddResponse{Item: &notelyv2.Item{Id: added.ID, Text: added.Text}}, nil
}

func (s *server2) List(_ *notelyv2.ListRequest, stream grpc.ServerStreamingServer[notelyv2.ListResponse]) error {
	for listed, err := range s.impl.List(stream.Context()) {
		if err != nil {
			return toStatus(err)
		}
		resp := &notelyv2.ListResponse{Item: &notelyv2.Item{Id: listed.ID, Text: listed.Text}}
		if err := stream.Send(resp); err != nil {
			return err
		}
	}
	return nil
}
