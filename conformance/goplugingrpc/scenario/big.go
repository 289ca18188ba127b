package scenario

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/probe"
	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
)

// bigSize is the payload size of a large message, in bytes.
const bigSize = 64 << 20

// bigAnswer uses the direction allowed by go-plugin's own limits.
func bigAnswer(ctx context.Context, r *Run) error { return exchange(ctx, r, 1, bigSize) }

// big exceeds the limit of a plugin on go-plugin.
func big(ctx context.Context, r *Run) error {
	return errors.Join(exchange(ctx, r, bigSize, bigSize), alive(ctx, r))
}

func exchange(ctx context.Context, r *Run, sent, wanted int) error {
	payload := probe.Pattern(sent)
	answer, err := r.Probe.Big(ctx, &conformancev1.BigRequest{Payload: payload, AnswerSize: uint32(wanted)})
	if err != nil {
		return fmt.Errorf("%d bytes out, %d back: %w", sent, wanted, err)
	}
	sum := sha256.Sum256(payload)
	return errors.Join(
		expect("bytes received by the plugin", answer.GetReceivedSize(), uint64(sent)),
		expect("their checksum is right", bytes.Equal(answer.GetReceivedSha256(), sum[:]), true),
		expect("the answer is right", bytes.Equal(answer.GetPayload(), probe.Pattern(wanted)), true),
	)
}

func bigCallback(ctx context.Context, r *Run) error {
	return callbackOnce(ctx, r, "a big one", bigSize, 1)
}

func bigOffer(ctx context.Context, r *Run) error {
	return offers(ctx, r, 1, func(ids []uint32) error {
		conn, err := r.Probe.Broker.Dial(ctx, ids[0])
		if err != nil {
			return err
		}
		return errors.Join(probe.Ask(ctx, conn, probe.PluginName, ids[0], "a big one", bigSize), conn.Close())
	})
}
