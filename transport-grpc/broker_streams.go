package transportgrpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/jackfield-go/jackfield/proto/streampb"
)

// streamChunk is the most of a stream in one message, in bytes.
const streamChunk = 64 << 10

// LendReader lets the other side read from r, once, until ctx ends, and returns an ID
// for a message to that side. The other side opens it with [Broker.BorrowReader], or in
// another language as jackfield.stream.v1.ByteStreamService.
// An error of r reaches the other side with its text. r is not closed; while it
// blocks in Read, one goroutine stays with it.
func (b *Broker) LendReader(ctx context.Context, r io.Reader) (uint32, error) {
	if isNil(r) {
		return 0, errors.New("nothing to lend: the reader is nil")
	}
	return Lend[streampb.ByteStreamServiceServer](ctx, b, streampb.RegisterByteStreamServiceServer, &byteStream{reader: r})
}

// LendWriter lets the other side write to w, once, until ctx ends, and returns an ID
// for a message to that side. w is not closed. If it fails, the other side's writes
// fail, with its text.
func (b *Broker) LendWriter(ctx context.Context, w io.Writer) (uint32, error) {
	if isNil(w) {
		return 0, errors.New("nothing to lend: the writer is nil")
	}
	return Lend[streampb.ByteStreamServiceServer](ctx, b, streampb.RegisterByteStreamServiceServer, &byteStream{writer: w})
}

// byteStream serves one reader or writer, once.
type byteStream struct {
	streampb.UnimplementedByteStreamServiceServer

	reader io.Reader
	writer io.Writer
	opened atomic.Bool
}

// open lets one caller through.
func (s *byteStream) open(there bool) error {
	if !there {
		return status.Error(codes.Unimplemented, "this stream goes the other way")
	}
	if s.opened.Swap(true) {
		return status.Error(codes.FailedPrecondition, "this stream was opened before")
	}
	return nil
}

func (s *byteStream) Read(_ *streampb.ReadRequest, stream grpc.ServerStreamingServer[streampb.ReadResponse]) error {
	if err := s.open(s.reader != nil); err != nil {
		return err
	}
	for {
		data := make([]byte, streamChunk) // gRPC may keep a sent message
		n, err := s.reader.Read(data)
		if n > 0 {
			if err := stream.Send(&streampb.ReadResponse{Data: data[:n]}); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return status.Error(codes.Aborted, err.Error())
		}
	}
}

func (s *byteStream) Write(stream grpc.ClientStreamingServer[streampb.WriteRequest, streampb.WriteResponse]) error {
	if err := s.open(s.writer != nil); err != nil {
		return err
	}
	var size uint64
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&streampb.WriteResponse{Size: size})
		}
		if err != nil {
			return err
		}
		n, err := s.writer.Write(message.GetData())
		size += uint64(max(n, 0))
		if err == nil && n < len(message.GetData()) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return status.Error(codes.Aborted, err.Error())
		}
	}
}

// BorrowReader returns the other side's reader of that id. Close it after use, also
// before its end: the other side then stops reading. ctx bounds the opening only; Close
// ends a Read.
func (b *Broker) BorrowReader(ctx context.Context, id uint32) (io.ReadCloser, error) {
	r := new(remoteReader)
	err := r.open(ctx, b, id, func(ctx context.Context, client streampb.ByteStreamServiceClient) (err error) {
		r.stream, err = client.Read(ctx, &streampb.ReadRequest{})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("borrow a reader: %w", err)
	}
	return r, nil
}

// BorrowWriter returns the other side's writer of that id. Its Close returns when all
// data has reached that writer, or an error; a Write after Close is an
// io.ErrClosedPipe. ctx bounds the opening only. While the other side's writer blocks,
// Write and Close wait for it, until its lending context ends.
func (b *Broker) BorrowWriter(ctx context.Context, id uint32) (io.WriteCloser, error) {
	w := new(remoteWriter)
	err := w.open(ctx, b, id, func(ctx context.Context, client streampb.ByteStreamServiceClient) (err error) {
		w.stream, err = client.Write(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("borrow a writer: %w", err)
	}
	return w, nil
}

// remote is the connection of one stream.
type remote struct {
	conn   *Conn
	cancel context.CancelFunc
}

func (r *remote) open(
	ctx context.Context, b *Broker, id uint32, start func(context.Context, streampb.ByteStreamServiceClient) error,
) error {
	if id == 0 {
		return errNothingLent
	}
	conn, err := b.Client(ctx, id)
	if err != nil {
		return err
	}
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel)
	r.conn, r.cancel = conn, cancel
	err = start(own, streampb.NewByteStreamServiceClient(conn))
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		r.close()
	}
	return err
}

func (r *remote) close() {
	r.cancel()
	_ = r.conn.Close()
}

// remoteReader reads from the other side's reader. Read and Close may be called
// at once.
type remoteReader struct {
	remote

	stream grpc.ServerStreamingClient[streampb.ReadResponse]
	left   []byte
	err    error
}

func (r *remoteReader) Read(p []byte) (int, error) {
	for len(r.left) == 0 && r.err == nil && len(p) > 0 {
		message, err := r.stream.Recv()
		r.left, r.err = message.GetData(), err
	}
	if len(r.left) == 0 {
		return 0, r.err
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

func (r *remoteReader) Close() error {
	r.close()
	return nil
}

// remoteWriter writes to the other side's writer. Write and Close may be called
// at once: they take turns.
type remoteWriter struct {
	remote

	stream grpc.ClientStreamingClient[streampb.WriteRequest, streampb.WriteResponse]

	mu       sync.Mutex
	sent     uint64
	finished bool
	closed   bool  // by the caller
	err      error // once finished
}

func (w *remoteWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return 0, io.ErrClosedPipe
	}
	written := 0
	for len(p) > 0 {
		n := min(len(p), streamChunk)
		if err := w.stream.Send(&streampb.WriteRequest{Data: append([]byte(nil), p[:n]...)}); err != nil {
			if errors.Is(err, io.EOF) { // the other side has ended it, and gives the reason
				err = w.finish()
			}
			if err == nil {
				err = io.ErrClosedPipe
			}
			return written, err
		}
		w.sent += uint64(n)
		written += n
		p = p[n:]
	}
	return written, nil
}

// Close ends the writing.
func (w *remoteWriter) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	return w.finish()
}

// finish asks the other side for the received size, once. It is called with the lock.
func (w *remoteWriter) finish() error {
	if w.finished {
		return w.err
	}
	w.finished = true
	res, err := w.stream.CloseAndRecv()
	if err == nil && res.GetSize() != w.sent {
		err = fmt.Errorf("the other side took %d of %d bytes: %w", res.GetSize(), w.sent, io.ErrShortWrite)
	}
	w.err = err
	w.close()
	return w.err
}
