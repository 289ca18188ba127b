package netrpc_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/core"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// askHost lets the plugin ask the host a question, at an object passed by the host.
func (u *subject) askHost(t *testing.T, question string) {
	t.Helper()
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	object, err := u.probe.Conns.Lend(ctx, shared.NewAskerServer(shared.AskerFunc(shared.HostAnswer)))
	if err != nil {
		t.Error(err)
		return
	}
	answer, err := u.probe.Callback(ctx, object.ID, question)
	if want, _ := shared.HostAnswer(question); err != nil || answer != want {
		t.Errorf("callback: %q, %v; expected %q", answer, err, want)
	}
}

func TestOurHostIsCalledBack(t *testing.T) {
	eachSubject(t, func(t *testing.T, u *subject) {
		for i := range 5 {
			u.askHost(t, fmt.Sprintf("question %d", i))
		}
		var atOnce sync.WaitGroup
		for i := range 16 {
			atOnce.Go(func() { u.askHost(t, fmt.Sprintf("question at once %d", i)) })
		}
		atOnce.Wait()
		u.closeInOrder(t)
	})
}

func TestOurHostIsCalledBackOverAConnectionOfItsOwn(t *testing.T) {
	eachSubject(t, func(t *testing.T, u *subject) {
		id := u.probe.Conns.NextID()
		served := make(chan error, 1)
		go func() {
			conn, err := u.probe.Conns.Accept(within(t), id)
			if err == nil {
				shared.ServeAsker(conn, shared.AskerFunc(shared.HostAnswer)) // the standard net/rpc
			}
			served <- err
		}()
		answer, err := u.probe.Callback(within(t), id, "why?")
		if err != nil || answer != "host answers why?" {
			t.Errorf("callback: %q, %v", answer, err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
		u.closeInOrder(t)
	})
}

func TestOurHostCallsAServiceOfThePlugin(t *testing.T) {
	eachSubject(t, func(t *testing.T, u *subject) {
		var askers []*netrpc.Client
		for i := range 3 {
			id, err := u.probe.ServeBack(within(t))
			if err != nil {
				t.Fatal(err)
			}
			asker, err := u.probe.Conns.Client(within(t), id)
			if err != nil {
				t.Fatal(err)
			}
			askers = append(askers, asker)
			question := fmt.Sprintf("question %d", i)
			for _, asker := range askers { // earlier connections still answer
				var answer string
				want, _ := shared.PluginAnswer(question)
				if err := asker.Call(within(t), "Ask", question, &answer); err != nil || answer != want {
					t.Errorf("answer %q, %v; expected %q", answer, err, want)
				}
			}
		}
		if err := askers[0].Close(); err != nil {
			t.Error(err)
		}
		if err := askers[0].Call(within(t), "Ask", "closed?", nil); !errors.Is(err, core.ErrClosed) {
			t.Errorf("a call after its close: %v", err)
		}
		u.closeInOrder(t) // the other connections end with it
		if err := askers[1].Call(within(t), "Ask", "gone?", nil); err == nil {
			t.Error("a call after the plugin's end succeeded")
		}
	})
}

func TestOurHostPassesAReader(t *testing.T) {
	eachSubject(t, func(t *testing.T, u *subject) {
		for _, n := range []int{0, 1, 256 << 10, 256<<10 + 1, 1 << 20, 8 << 20} {
			data := shared.Pattern(n)
			sum := sha256.Sum256(data)
			want := shared.ReadAllReply{Bytes: int64(n), SHA256: hex.EncodeToString(sum[:])}
			reader := u.probe.Conns.LendReader(within(t), bytes.NewReader(data))
			if got, err := u.probe.ReadAll(within(t), reader.ID); err != nil || got != want {
				t.Errorf("%d bytes: got %+v, %v; expected %+v", n, got, err, want)
			}
		}
		u.closeInOrder(t)
	})
}

func TestOurHostsReaderFails(t *testing.T) {
	eachSubject(t, func(t *testing.T, u *subject) {
		broken := io.MultiReader(strings.NewReader("the first half"), iotest.ErrReader(errors.New("disk gone")))
		reader := u.probe.Conns.LendReader(within(t), broken)
		got, err := u.probe.ReadAll(within(t), reader.ID)
		var remote netrpc.RemoteError
		if !errors.As(err, &remote) {
			t.Errorf("got %+v, %v; expected the plugin to detect the partial stream", got, err)
		}
		u.expectAlive(t)
		u.closeInOrder(t)
	})
}

func TestOurHostGivesUpAWaitOnTheBroker(t *testing.T) {
	eachSubject(t, func(t *testing.T, u *subject) {
		ctx, cancel := context.WithCancel(within(t))
		accepted := make(chan error, 1)
		go func() {
			_, err := u.probe.Conns.Accept(ctx, u.probe.Conns.NextID())
			accepted <- err
		}()
		u.askHost(t, "while another waits")
		cancel()
		if err := <-accepted; !errors.Is(err, context.Canceled) {
			t.Errorf("accept: %v", err)
		}
		u.closeInOrder(t)
		if _, err := u.probe.Conns.Accept(within(t), 1); !errors.Is(err, core.ErrClosed) {
			t.Errorf("accept after the end: %v", err)
		}
	})
}
