package transportgrpc_test

import (
	"bytes"
	"context"
	"net"
	"sync"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/transport-grpc/internal/probepb"
)

// Types of frames, and the length of a frame's header: RFC 9113, sections 4.1 and 6.
const (
	frameData    = 0
	framePing    = 6
	frameHeader  = 9
	http2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
)

// recorder keeps the bytes of both directions of a connection.
type recorder struct {
	net.Conn

	mu            sync.Mutex
	read, written bytes.Buffer
}

func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.read.Write(p[:n])
	return n, err
}

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	r.written.Write(p)
	r.mu.Unlock()
	return r.Conn.Write(p)
}

// frames counts complete frames by type.
func frames(stream []byte) map[byte]int {
	count := make(map[byte]int)
	for len(stream) >= frameHeader {
		length := int(stream[0])<<16 | int(stream[1])<<8 | int(stream[2])
		if len(stream) < frameHeader+length {
			break
		}
		count[stream[3]]++
		stream = stream[frameHeader+length:]
	}
	return count
}

// gRPC measures a connection with a PING after data, unless windows are fixed.
func TestWindowsAreOfFixedSize(t *testing.T) {
	var conn *recorder
	h := rigUp(t, setup{}).connectWith(t, func(link *core.HostLink) {
		dial := link.Dial
		link.Dial = func(ctx context.Context) (net.Conn, error) {
			raw, err := dial(ctx)
			conn = &recorder{Conn: raw}
			return conn, err
		}
	})
	for range 3 {
		if _, err := h.probe.Echo(within(t), &probepb.EchoRequest{Data: make([]byte, 100_000)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	conn.mu.Lock()
	defer conn.mu.Unlock()
	for side, stream := range map[string][]byte{
		"host":   bytes.TrimPrefix(conn.written.Bytes(), []byte(http2Preface)),
		"plugin": conn.read.Bytes(),
	} {
		if count := frames(stream); count[frameData] < 3 || count[framePing] > 0 {
			t.Errorf("the %s sent %d frames of data and %d pings, want data alone", side, count[frameData], count[framePing])
		}
	}
}
