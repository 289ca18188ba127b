package transportgrpc_test

import (
	"context"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jackfield-go/jackfield/core"
)

// shortages are the errors of a process without a file left, also those of Windows.
var shortages = []syscall.Errno{syscall.EMFILE, 10024, 10055}

// full is a listener of a process without a file left, for some accepts.
type full struct {
	net.Listener

	accepts *atomic.Int32 // still to fail
}

func (l full) Accept() (net.Conn, error) {
	if left := l.accepts.Add(-1); left >= 0 {
		shortage := shortages[int(left)%len(shortages)]
		return nil, &net.OpError{Op: "accept", Net: "unix", Err: os.NewSyscallError("accept4", shortage)}
	}
	return l.Listener.Accept()
}

func TestBrokeredListenerWarnsWithoutFilesAndGoesOn(t *testing.T) {
	inEach(t, []mode{{}, {secure: true}}, func(t *testing.T, m mode) {
		var accepts atomic.Int32
		r := rigUp(t, setup{mode: m})
		h := r.connectWith(t, func(link *core.HostLink) {
			listen := link.Listen
			link.Listen = func(ctx context.Context) (core.Listener, error) {
				l, err := listen(ctx)
				l.Listener = full{l.Listener, &accepts}
				return l, err
			}
		})
		for name, serve := range map[string]func() uint32{
			"Lend": func() uint32 {
				id, err := lendNumbered(context.WithoutCancel(t.Context()), h.broker)
				if err != nil {
					t.Fatal(err)
				}
				return id
			},
			"Listen": func() uint32 {
				id := h.broker.NextID()
				listener, err := h.broker.Listen(within(t), id)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { listener.Close() })
				return id
			},
		} {
			accepts.Store(4)
			h.log.reset()
			id := serve()
			conn, err := r.broker.Dial(within(t), id)
			if err != nil {
				t.Fatal(err)
			}
			conn.Close()
			if name == "Lend" {
				expectAnswer(t, r.broker, id)
			}
			h.log.wait(t, "has a file left")
			if n := strings.Count(h.log.String(), "has a file left"); n != 1 {
				t.Errorf("%s: %d records: %s", name, n, h.log)
			}
		}
	})
}
