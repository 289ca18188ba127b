package transportgrpc

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	encodingproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
)

// codec is gRPC's codec for protocol buffers with other buffers. gRPC's pool has none
// between 32 KiB and 1 MiB, and clears a whole buffer before each use: most of the work
// for a message of 64 KiB.
type codec struct {
	pool mem.BufferPool
}

var _ encoding.CodecV2 = codec{}

// bufferSizes leave room for a message's frame around data of 2^n bytes.
var bufferSizes = [...]int{
	256, 4 << 10, 17 << 10, 33 << 10, 66 << 10, 132 << 10, 264 << 10, 528 << 10,
	1056 << 10, 2112 << 10, 4224 << 10, 8448 << 10, 16896 << 10, 67584 << 10,
}

func newCodec() codec { return codec{mem.NewTieredBufferPool(bufferSizes[:]...)} }

// Name is the end of a call's content type.
func (codec) Name() string { return encodingproto.Name }

// Marshal encodes a message.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	message := messageOf(v)
	if message == nil {
		return nil, fmt.Errorf("a %T cannot be sent: it is not a protocol buffer message", v)
	}
	size := proto.Size(message)
	options := proto.MarshalOptions{UseCachedSize: true} // from the call of Size
	if mem.IsBelowBufferPoolingThreshold(size) {
		data, err := options.Marshal(message)
		if err != nil {
			return nil, err
		}
		return mem.BufferSlice{mem.SliceBuffer(data)}, nil
	}
	buffer := c.pool.Get(size)
	if _, err := options.MarshalAppend((*buffer)[:0], message); err != nil {
		c.pool.Put(buffer)
		return nil, err
	}
	return mem.BufferSlice{mem.NewBuffer(buffer, c.pool)}, nil
}

// Unmarshal decodes a message, and keeps nothing of data.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	message := messageOf(v)
	if message == nil {
		return fmt.Errorf("a %T cannot be received: it is not a protocol buffer message", v)
	}
	buffer := data.MaterializeToBuffer(c.pool)
	defer buffer.Free()
	return proto.Unmarshal(buffer.ReadOnlyData(), message)
}

// messageOf takes the messages of both generations of generated code.
func messageOf(v any) proto.Message {
	switch v := v.(type) {
	case protoadapt.MessageV2:
		return v
	case protoadapt.MessageV1:
		return protoadapt.MessageV2Of(v)
	default:
		return nil
	}
}

// unary and stream make calls use the codec, unless the caller asks for another.
func (c codec) unary(
	ctx context.Context, method string, req, reply any,
	conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
) error {
	return invoke(ctx, method, req, reply, conn, c.options(opts)...)
}

func (c codec) stream(
	ctx context.Context, desc *grpc.StreamDesc,
	conn *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	return open(ctx, desc, conn, method, c.options(opts)...)
}

func (c codec) options(opts []grpc.CallOption) []grpc.CallOption {
	for _, opt := range opts {
		switch opt.(type) {
		case grpc.ContentSubtypeCallOption, grpc.ForceCodecV2CallOption, grpc.ForceCodecCallOption, grpc.CustomCodecCallOption:
			return opts
		default:
		}
	}
	return append(opts, grpc.ForceCodecV2(c))
}
