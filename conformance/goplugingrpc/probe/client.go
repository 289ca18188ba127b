package probe

import (
	"bytes"
	"context"
	"fmt"

	"google.golang.org/grpc"

	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
)

// Client is a host's end of the probe.
type Client struct {
	conformancev1.ProbeServiceClient

	// Conn is the main connection.
	Conn grpc.ClientConnInterface
	// Broker is the host's.
	Broker Broker
}

// NewClient returns a client on the main connection.
func NewClient(conn grpc.ClientConnInterface, broker Broker) *Client {
	return &Client{ProbeServiceClient: conformancev1.NewProbeServiceClient(conn), Conn: conn, Broker: broker}
}

// Ask asks a question with size bytes along over a brokered connection, and
// checks that the one of that name, serving at id, answers it and sends the bytes
// back.
func Ask(ctx context.Context, conn grpc.ClientConnInterface, name string, id uint32, question string, size int) error {
	payload := Pattern(size)
	answer, err := conformancev1.NewHostServiceClient(conn).Answer(ctx, &conformancev1.AnswerRequest{
		Question: question, Payload: payload,
	})
	switch want := Answer(name, question); {
	case err != nil:
		return fmt.Errorf("ask at the broker ID %d: %w", id, err)
	case answer.GetBrokerId() != id:
		return &WrongServerError{Asked: id, Answered: answer.GetBrokerId()}
	case answer.GetAnswer() != want:
		return fmt.Errorf("ask at the broker ID %d: %q, expected %q", id, answer.GetAnswer(), want)
	case !bytes.Equal(answer.GetPayload(), payload):
		return fmt.Errorf("ask at the broker ID %d: of %d bytes %d came back, or others", id, size, len(answer.GetPayload()))
	}
	return nil
}

// WrongServerError says that a brokered connection ended at another server than
// the one that was dialled.
type WrongServerError struct {
	// Asked is the ID that was dialled, Answered that of the server.
	Asked, Answered uint32
}

func (e *WrongServerError) Error() string {
	return fmt.Sprintf("a dial of the broker ID %d was answered by the server of %d", e.Asked, e.Answered)
}

// Pattern returns n bytes of which byte i is i modulo 251: a prime, so that a
// block that is lost or comes twice does not look like its neighbour.
func Pattern(n int) []byte {
	block := make([]byte, 251)
	for i := range block {
		block[i] = byte(i)
	}
	return bytes.Repeat(block, n/len(block)+1)[:n:n]
}
