package rpc

import (
	"bytes"
	"encoding/gob"
	"io"
	"net"
	"runtime"
	"testing"
)

// hostile are messages of dishonest peers.
func hostile(t testing.TB) map[string][]byte {
	t.Helper()
	var honest bytes.Buffer
	enc := gob.NewEncoder(&honest)
	for _, value := range []any{request{ServiceMethod: "Plugin.Whole", Seq: 1}, Pair{A: 1, Note: "note"}} {
		if err := enc.Encode(value); err != nil {
			t.Fatal(err)
		}
	}
	whole := honest.Bytes()
	var hidden []byte
	for message := range hiddenDefinitions(t, request{ServiceMethod: "Plugin.Whole"}) {
		hidden = message
		break
	}
	return map[string][]byte{
		"nothing":                 nil,
		"an honest request":       whole,
		"half a request":          whole[:len(whole)/2],
		"a request cut short":     whole[:len(whole)-1],
		"http":                    []byte("GET / HTTP/1.1\r\nHost: plugin\r\n\r\n"),
		"zeros":                   make([]byte, 4096),
		"ones":                    bytes.Repeat([]byte{0xff}, 4096),
		"a message of 2^63 bytes": {0xf8, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3},
		"a message of 2^30 - 1":   {0xfc, 0x3f, 0xff, 0xff, 0xff, 1, 2, 3},
		"a string of 2^29":        {0x0c, 0x0c, 0x00, 0xfc, 0x20, 0x00, 0x00, 0x00, 'a', 'b', 'c', 'd', 'e'},
		"a negative type":         {0x05, 0xff, 0x81, 0x01, 0x02, 0x03},
		"definitions in a value":  hidden,
		"definitions without a value": bytes.Join([][]byte{
			asMessage(definition(t, firstFree)), asMessage(definition(t, firstFree+1)), asMessage(definition(t, firstFree+2)),
		}, nil),
		"a type that refers to self": {0x0d, 0x7f, 0x02, 0x01, 0x02, 0xff, 0x80, 0x00, 0x01, 0xff, 0x80, 0x00, 0x00, 0x00},
	}
}

// serveMessage has a server read a message, to its end.
func serveMessage(t testing.TB, message []byte) {
	t.Helper()
	c, s := net.Pipe()
	object, err := NewService(tutorial{})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = Serve(t.Context(), s, map[string]*Service{DefaultService: object}, ServerConfig{MaxConcurrentCalls: 4})
	}()
	go func() { _, _ = io.Copy(io.Discard, c) }()
	_, _ = c.Write(message)
	c.Close()
	receive(t, "the end of the server", served)
}

// answerMessage has a client read a message for an answer, to its end.
func answerMessage(t testing.TB, message []byte) {
	t.Helper()
	c, s := net.Pipe()
	client := NewClient(c, ClientConfig{})
	call := async(func() error {
		var reply Pair
		return client.Call(within(t), "Whole", Pair{}, &reply)
	})
	if _, err := s.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, s) }()
	_, _ = s.Write(message)
	s.Close()
	_ = receive(t, "the call", call)
	client.Close()
}

func TestHostileMessagesEndTheirConnectionAlone(t *testing.T) {
	for name, message := range hostile(t) {
		t.Run(name, func(t *testing.T) {
			before := allocated()
			serveMessage(t, message)
			answerMessage(t, message)
			if grown := allocated() - before; grown > 64<<20 {
				t.Errorf("%d bytes made this side allocate %d MiB", len(message), grown>>20)
			}
		})
	}
}

func allocated() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.TotalAlloc
}

func FuzzServer(f *testing.F) {
	for _, message := range hostile(f) {
		f.Add(message)
	}
	f.Fuzz(func(t *testing.T, message []byte) { serveMessage(t, message) })
}

func FuzzClient(f *testing.F) {
	for _, message := range hostile(f) {
		f.Add(message)
	}
	var answer bytes.Buffer
	enc := gob.NewEncoder(&answer)
	for _, value := range []any{response{Seq: 1}, Pair{A: 1, Again: &Pair{Note: "n"}}} {
		if err := enc.Encode(value); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(answer.Bytes())
	f.Fuzz(func(t *testing.T, message []byte) { answerMessage(t, message) })
}
