package rpc

import (
	"bytes"
	"encoding/gob"
	"errors"
	"io"
	"iter"
	"net"
	"testing"
)

// gobUint is a number in gob's form.
func gobUint(n uint64) []byte {
	if n < 0x80 {
		return []byte{byte(n)}
	}
	var digits []byte
	for ; n > 0; n >>= 8 {
		digits = append([]byte{byte(n)}, digits...)
	}
	return append([]byte{byte(-len(digits))}, digits...)
}

// definition defines a type under id, without the length of a message.
func definition(t testing.TB, id int) []byte {
	t.Helper()
	message := encoded(t, struct{ Field int }{1})
	payload := message[1 : 1+message[0]]
	number := 1 // the type's
	if payload[0] >= 0x80 {
		number += -int(int8(payload[0]))
	}
	return append(gobUint(uint64(id-1)<<1|1), payload[number:]...)
}

// asMessage puts the length in front.
func asMessage(payload []byte) []byte { return append(gobUint(uint64(len(payload))), payload...) }

// hider holds an interface, in front of whose value definitions can stand.
type hider struct {
	A  int
	In any
}

// firstFree is an ID above gob's IDs in these tests.
const firstFree = 10_000

// definitions are endless ones, each in a message of its own.
func definitions(t testing.TB) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		var batch []byte
		for id := firstFree; ; id++ {
			batch = append(batch, asMessage(definition(t, id))...)
			if len(batch) > 16<<10 {
				if !yield(batch) {
					return
				}
				batch = nil
			}
		}
	}
}

// hiddenDefinitions are endless messages, a header and a body, with definitions
// inside of the body's value.
func hiddenDefinitions(t testing.TB, header any) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		var stream bytes.Buffer
		enc := gob.NewEncoder(&stream)
		for id := firstFree; ; {
			if err := enc.Encode(header); err != nil {
				t.Error(err)
				return
			}
			head := bytes.Clone(stream.Bytes())
			stream.Reset()
			if err := enc.Encode(hider{1, 5}); err != nil {
				t.Error(err)
				return
			}
			var hidden []byte
			for len(hidden) < 16<<10 {
				hidden = append(hidden, definition(t, id)...)
				hidden = append(hidden, 1) // the length of the rest, skipped by gob
				id++
			}
			messages, value := lastMessage(stream.Bytes())
			stream.Reset()
			before, behind, _ := bytes.Cut(value, []byte("\x03int"))
			value = bytes.Join([][]byte{before, []byte("\x03int"), hidden, behind}, nil)
			if !yield(bytes.Join([][]byte{head, messages, asMessage(value)}, nil)) {
				return
			}
		}
	}
}

// lastMessage cuts the last of a stream's short messages off, without its length.
func lastMessage(stream []byte) (rest, payload []byte) {
	for i := 0; ; {
		next := i + 1 + int(stream[i])
		if next == len(stream) {
			return stream[:i], stream[i+1:]
		}
		i = next
	}
}

// flood writes what never ends, until the other side has enough, and returns how
// many bytes that took.
func flood(conn net.Conn, endless iter.Seq[[]byte]) (sent int) {
	const tooMany = 64 << 20
	for batch := range endless {
		n, err := conn.Write(batch)
		sent += n
		if err != nil || sent > tooMany {
			break
		}
	}
	_ = conn.Close()
	return sent
}

func TestTypeDefinitionsWithoutEndEndTheConnection(t *testing.T) {
	for name, test := range map[string]struct {
		toServer, toClient iter.Seq[[]byte]
	}{
		"in messages of their own": {definitions(t), definitions(t)},
		"inside of values":         {hiddenDefinitions(t, request{ServiceMethod: "Plugin.Whole"}), hiddenDefinitions(t, response{})},
		"inside of values that are skipped": {
			hiddenDefinitions(t, request{ServiceMethod: "Plugin.No"}), hiddenDefinitions(t, response{Seq: 99}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := allocated()
			t.Run("server", func(t *testing.T) {
				peer, conn := socketPair(t)
				object, err := NewService(tutorial{})
				if err != nil {
					t.Fatal(err)
				}
				ended := async(func() error {
					return Serve(t.Context(), conn, map[string]*Service{DefaultService: object}, ServerConfig{})
				})
				go func() { _, _ = io.Copy(io.Discard, peer) }()
				expectEnoughDefinitions(t, flood(peer, test.toServer), receive(t, "the end of the server", ended))
			})
			t.Run("client", func(t *testing.T) {
				conn, peer := socketPair(t)
				client := NewClient(conn, ClientConfig{})
				defer client.Close()
				call := async(func() error { return client.Call(within(t), "Greet", 1, nil) })
				expectEnoughDefinitions(t, flood(peer, test.toClient), receive(t, "the call", call))
			})
			if grown := allocated() - before; grown > 128<<20 {
				t.Errorf("this side allocated %d MiB", grown>>20)
			}
		})
	}
}

// expectEnoughDefinitions expects err as the end of a connection after a flood
// of sent bytes.
func expectEnoughDefinitions(t *testing.T, sent int, err error) {
	t.Helper()
	var tooLarge *MessageSizeError
	if !errors.As(err, &tooLarge) || tooLarge.Part == "" || tooLarge.Limit > maxDefinitions {
		t.Errorf("the connection ended with %v", err)
	}
	if sent > 4<<20 { // with data waiting in the socket
		t.Errorf("it ended after %d bytes", sent)
	}
}

// The table of gob's types is not part of its interface.
func TestDefinitionsThatGobKeepsCanBeCounted(t *testing.T) {
	dec := gob.NewDecoder(bytes.NewReader(encoded(t, Pair{A: 1})))
	if err := dec.Decode(new(Pair)); err != nil {
		t.Fatal(err)
	}
	types := newKeptTypes(dec)
	if err := types.check(0); err != nil || types.hidden != 1 || types.bytes < definitionCost+20 {
		t.Errorf("counted %+v, %v", types, err)
	}
}

func TestMessageAndItsDefinitionsShareTheLimit(t *testing.T) {
	stream := encoded(t, Pair{A: 1, Note: "note"})
	for limit, want := range map[int]bool{len(stream): true, len(stream) / 2: false} {
		var got Pair
		_, err := newMessageReader(bytes.NewReader(stream), limit).take(&got)
		var tooLarge *MessageSizeError
		if want != (err == nil) || !want && !errors.As(err, &tooLarge) {
			t.Errorf("limit %d of %d: %v", limit, len(stream), err)
		}
	}
}
