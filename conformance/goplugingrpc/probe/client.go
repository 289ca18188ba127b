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
	// Broker is the host's broker.
	Broker Broker
}

// NewClient returns a client on the main connection.
func NewClient(conn grpc.ClientConnInterface, broker Broker) *Client {
	return &Client{ProbeServiceClient: conformancev1.NewProbeServiceClient(conn), Conn: conn, Broker: broker}
}

// Ask asks a question with size additional bytes over a brokered connection. It checks that
// the named side, serving at id, answers and returns the bytes.
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
		return fmt.Errorf("ask at the broker ID %d: of %d bytes %d returned, or different bytes", id, size, len(answer.GetPayload()))
	}
	return nil
}

// WrongServerError reports a brokered connection to another server than the dialled one.
type WrongServerError struct {
	// Asked is the dialled ID, Answered the server's ID.
	Asked, Answered uint32
}

func (e *WrongServerError) Error() string {
	return fmt.Sprintf("a dial of the broker ID %d was answered by the server of %d", e.Asked, e.Answered)
}

// Pattern returns n bytes; byte i is i modulo 251. 251 is prime, so a lost or repeated
// block differs from its neighbour.
func Pattern(n int) []byte {
	block := make([]byte, 251)
	for i := range block {
		block[i] = byte(i)
	}
	return bytes.Repeat(block, n/len(block)+1)[:n:n]
}
