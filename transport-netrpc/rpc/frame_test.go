package rpc

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/jackfield-go/jackfield/core"
)

// announcing is the length of a message, in gob's longest form.
func announcing(size uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{0xf8}, size)
}

// encoded is a gob stream of values, one message each.
func encoded(t testing.TB, values ...any) []byte {
	t.Helper()
	var stream bytes.Buffer
	enc := gob.NewEncoder(&stream)
	for _, value := range values {
		if err := enc.Encode(value); err != nil {
			t.Fatal(err)
		}
	}
	return stream.Bytes()
}

func TestMessagesPassTheFrameReaderUnchanged(t *testing.T) {
	lengths := []int{0, 1, 60, 127, 128, 255, 256, 4096, 70_000}
	var values []any
	for _, length := range lengths {
		values = append(values, strings.Repeat("x", length), Pair{A: length, Note: "note"})
	}
	stream := encoded(t, values...)
	for name, source := range map[string]io.Reader{
		"at once":           bytes.NewReader(stream),
		"byte by byte":      iotest.OneByteReader(bytes.NewReader(stream)),
		"by halves":         iotest.HalfReader(bytes.NewReader(stream)),
		"EOF with data":     iotest.DataErrReader(bytes.NewReader(stream)),
		"large reads of it": bytes.NewReader(stream),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := io.ReadAll(newFrameReader(source, DefaultMaxMessageSize))
			if err != nil || !bytes.Equal(got, stream) {
				t.Errorf("%d bytes came of %d, %v", len(got), len(stream), err)
			}
		})
	}
	dec := gob.NewDecoder(newFrameReader(iotest.HalfReader(bytes.NewReader(stream)), DefaultMaxMessageSize))
	for _, length := range lengths {
		var text string
		var pair Pair
		if err := errors.Join(dec.Decode(&text), dec.Decode(&pair)); err != nil || len(text) != length || pair.A != length {
			t.Errorf("got %d bytes and %+v, %v, want %d", len(text), pair, err, length)
		}
	}
}

func TestMessageMayHaveTheLimitAndNoMore(t *testing.T) {
	text := strings.Repeat("x", 1000)
	stream := encoded(t, text)
	size := len(stream) - 3 // the length takes three bytes
	if got := binary.BigEndian.Uint16(stream[1:]); int(got) != size {
		t.Fatalf("the message has %d bytes, its length says %d", size, got)
	}
	var got string
	if _, err := newMessageReader(bytes.NewReader(stream), size).take(&got); err != nil || got != text {
		t.Errorf("a message of the limit: %v", err)
	}
	messages := newMessageReader(bytes.NewReader(stream), size-1)
	_, err := messages.take(&got)
	var tooLarge *MessageSizeError
	if !errors.As(err, &tooLarge) || *tooLarge != (MessageSizeError{Size: uint64(size), Limit: uint64(size - 1)}) {
		t.Errorf("a message above the limit: %v", err)
	}
	if !messages.broken() {
		t.Error("the reader would go on in the middle of the message")
	}
	if _, again := messages.take(&got); !errors.Is(again, err) {
		t.Errorf("a second attempt: %v", again)
	}
}

// take is header under a name for any value.
func (m *messageReader) take(value any) (any, error) { return value, m.header(value) }

func TestInvalidLengthEndsTheReading(t *testing.T) {
	for name, test := range map[string]struct {
		stream []byte
		want   error
	}{
		"nothing":                  {nil, io.EOF},
		"nine bytes of length":     {append([]byte{0xf7}, make([]byte, 9)...), errLength},
		"128 bytes of length":      {append([]byte{0x80}, make([]byte, 128)...), errLength},
		"cut off in the length":    {[]byte{0xfe, 1}, io.ErrUnexpectedEOF},
		"cut off after its number": {[]byte{0xfe}, io.ErrUnexpectedEOF},
		"cut off in the message":   {[]byte{5, 1, 2}, io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			messages := newMessageReader(bytes.NewReader(test.stream), DefaultMaxMessageSize)
			if err := messages.header(&response{}); !errors.Is(err, test.want) || !messages.broken() {
				t.Errorf("got %v, broken %v; want %v", err, messages.broken(), test.want)
			}
		})
	}
}

func TestLargestLimitIsGobs(t *testing.T) {
	stream := append(announcing(gobMost+1), 1, 2, 3)
	messages := newMessageReader(bytes.NewReader(stream), math.MaxInt)
	var tooLarge *MessageSizeError
	if err := messages.header(&response{}); !errors.As(err, &tooLarge) || tooLarge.Limit != gobMost || !messages.broken() {
		t.Errorf("got %v", err)
	}
}

// huge is more than any test may make room for.
const huge = 1 << 29

func TestServerEndsAtTheLengthOfAnOversizedMessage(t *testing.T) {
	object, err := NewService(tutorial{})
	if err != nil {
		t.Fatal(err)
	}
	header := encoded(t, request{ServiceMethod: "Plugin.Whole", Seq: 1})
	for name, test := range map[string]struct {
		stream []byte
		limit  uint64
	}{
		"as a header":                     {announcing(huge), maxRequestHeader},
		"as arguments":                    {append(bytes.Clone(header), announcing(huge)...), 1 << 20},
		"as arguments of an unknown call": {append(encoded(t, request{ServiceMethod: "Plugin.No"}), announcing(huge)...), 1 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			client, conn := socketPair(t)
			served := make(chan error, 1)
			before := allocated()
			go func() {
				served <- Serve(t.Context(), conn, map[string]*Service{DefaultService: object},
					ServerConfig{MaxMessageSize: 1 << 20})
			}()
			if _, err := client.Write(test.stream); err != nil { // and says no more, but stays
				t.Fatal(err)
			}
			var tooLarge *MessageSizeError
			if err := receive(t, "the end of the server", served); !errors.As(err, &tooLarge) || tooLarge.Size != huge || tooLarge.Limit != test.limit {
				t.Errorf("the server ended with %v", err)
			}
			if grown := allocated() - before; grown > 16<<20 {
				t.Errorf("it allocated %d MiB", grown>>20)
			}
		})
	}
}

func TestClientReportsAnOversizedAnswer(t *testing.T) {
	c, s := socketPair(t)
	client := NewClient(c, ClientConfig{MaxMessageSize: 1 << 20, Explain: func(context.Context, error) error {
		return errors.New("an explanation of what is known")
	}})
	defer client.Close()
	calls := make(chan error, 2)
	for range cap(calls) {
		go func() {
			var reply Pair
			calls <- client.Call(within(t), "Whole", Pair{A: 1}, &reply)
		}()
	}
	requests := newMessageReader(s, DefaultMaxMessageSize)
	for range cap(calls) {
		if err := requests.header(&request{}); err != nil {
			t.Fatal(err)
		}
		if _, err := requests.body(nil); err != nil {
			t.Fatal(err)
		}
	}
	before := allocated()
	if _, err := s.Write(append(encoded(t, response{Seq: 1}), announcing(huge)...)); err != nil {
		t.Fatal(err)
	}
	check := func(which string, err error) {
		t.Helper()
		var tooLarge *MessageSizeError
		if !errors.As(err, &tooLarge) || tooLarge.Size != huge || !errors.Is(err, core.ErrConnectionLost) {
			t.Errorf("%s: %v", which, err)
		}
	}
	for range cap(calls) {
		check("a call in flight", receive(t, "a call", calls))
	}
	check("a later call", client.Call(within(t), "Whole", Pair{}, nil))
	if grown := allocated() - before; grown > 16<<20 {
		t.Errorf("it allocated %d MiB", grown>>20)
	}
}

func TestMessageSizeDefaultIsLarge(t *testing.T) {
	client, server := NewClient(nil, ClientConfig{}).cfg.MaxMessageSize, ServerConfig{}.withDefaults().MaxMessageSize
	if client != DefaultMaxMessageSize || server != DefaultMaxMessageSize {
		t.Errorf("the limits are %d and %d", client, server)
	}
}
