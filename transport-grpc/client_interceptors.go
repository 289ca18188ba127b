package transportgrpc

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"
)

// unary explains the error of a call.
func (e explainer) unary(
	ctx context.Context, method string, req, reply any,
	conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
) error {
	p := new(peer.Peer)
	return e.explain(ctx, p, invoke(ctx, method, req, reply, conn, append(opts, grpc.Peer(p))...))
}

// stream leaves the permanent streams alone: the session opens them again, and does
// not wait for an explanation.
func (e explainer) stream(
	ctx context.Context, desc *grpc.StreamDesc,
	conn *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	stream, err := open(ctx, desc, conn, method, opts...)
	switch {
	case isPermanent(method):
		return stream, err
	case err != nil:
		return nil, e.explain(ctx, nil, err)
	}
	if e.references {
		ctx = callersContext(ctx)
	}
	return &explainedStream{ClientStream: stream, explainer: e, ctx: ctx}, nil
}

// explainedStream explains the errors of its messages.
type explainedStream struct {
	grpc.ClientStream

	explainer explainer
	ctx       context.Context // the caller's: the stream's own context ends with the stream
}

func (s *explainedStream) RecvMsg(m any) error { return s.explain(s.ClientStream.RecvMsg(m)) }

func (s *explainedStream) SendMsg(m any) error { return s.explain(s.ClientStream.SendMsg(m)) }

func (s *explainedStream) explain(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	p, _ := peer.FromContext(s.Context())
	return s.explainer.explain(s.ctx, p, err)
}
