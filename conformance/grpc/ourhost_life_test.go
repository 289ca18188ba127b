package grpc_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/grpc/ourprobe"
	"github.com/jackfield-go/jackfield/conformance/peers"
	conformancev1 "github.com/jackfield-go/jackfield/conformance/proto/conformance/v1"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// echo makes a call.
func (u *subject) echo(t *testing.T, text string) error {
	t.Helper()
	answer, err := u.probe.Echo(within(t), &conformancev1.EchoRequest{Payload: []byte(text)})
	if err == nil && string(answer.GetPayload()) != text {
		t.Errorf("echo of %q: %q", text, answer.GetPayload())
	}
	return err
}

// sleeping starts a blocking call and returns a channel with its error. It waits for the
// answer of a later call, so the blocking call has reached the plugin.
func (u *subject) sleeping(t *testing.T, ctx context.Context) <-chan error {
	t.Helper()
	ended := make(chan error, 1)
	go func() {
		_, err := u.probe.Sleep(ctx, &conformancev1.SleepRequest{Duration: durationpb.New(time.Hour)})
		ended <- err
	}()
	u.expectAlive(t)
	return ended
}

// expectCode expects an error with this gRPC code, whatever its type.
func expectCode(t *testing.T, err error, want codes.Code) {
	t.Helper()
	if got := status.Code(err); got != want {
		t.Errorf("code %v of %v, expected %v", got, err, want)
	}
}

func TestOurHostDispensesAnUnknownName(t *testing.T) {
	eachPeer(t, func(t *testing.T, p peer) {
		u := p.launch(t, launch{})
		_, err := u.Dispense(within(t), "nonesuch")
		var unknown *core.UnknownPluginError
		if !errors.As(err, &unknown) || unknown.Name != "nonesuch" || !slices.Equal(unknown.Known, []string{shared.PluginName}) {
			t.Errorf("got %v, expected a core.UnknownPluginError", err)
		}
		u.closeInOrder(t)
	})
}

func TestOurHostNegotiates(t *testing.T) {
	for _, test := range []struct {
		name, host, plugin string
		want               int
	}{
		{"highest in common", "2,3", "1,2,3", 3},
		{"the only one in common", "1,2", "2,3", 2},
		{"plugin without versions", "1,2", "legacy:2", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachPeer(t, func(t *testing.T, p peer) {
				u := p.launch(t, launch{host: test.host, plugin: test.plugin})
				seen, err := u.probe.Status(within(t), &conformancev1.StatusRequest{})
				if err != nil {
					t.Fatal(err)
				}
				if u.NegotiatedVersion() != test.want || int(seen.GetVersion()) != test.want || u.Protocol() != core.GRPC {
					t.Errorf("negotiated %d over %s, dispensed from %d; expected %d over gRPC",
						u.NegotiatedVersion(), u.Protocol(), seen.GetVersion(), test.want)
				}
				u.closeInOrder(t)
			})
		})
	}
}

func TestOurHostHasNoVersionInCommon(t *testing.T) {
	eachPeer(t, func(t *testing.T, p peer) {
		u, cfg := p.prepare(t, launch{host: "1", plugin: "2,3"})
		_, err := host.Launch(within(t), cfg)
		var refused *host.LaunchError
		var mismatch *core.VersionError
		if !errors.As(err, &refused) || refused.Stage != host.StageNegotiate || !errors.As(err, &mismatch) {
			t.Fatalf("got %v, expected a core.VersionError in a host.LaunchError", err)
		}
		u.expectQuiet(t)
	})
}

// TestOurHostWantsTheProtocolOfItsTransport runs a host that expects another protocol under
// the version announced by the plugin with gRPC.
func TestOurHostWantsTheProtocolOfItsTransport(t *testing.T) {
	eachPeer(t, func(t *testing.T, p peer) {
		u, cfg := p.prepare(t, launch{change: func(c *host.Config) {
			c.Versions = core.Versions{1: {otherProtocol{c.Versions[1][0]}}}
		}})
		_, err := host.Launch(within(t), cfg)
		var protocol *core.ProtocolError
		if !errors.As(err, &protocol) || protocol.Got != core.GRPC {
			t.Fatalf("got %v, expected a core.ProtocolError", err)
		}
		u.expectQuiet(t)
	})
}

// otherProtocol is a transport under another name.
type otherProtocol struct{ core.Transport }

// Protocol returns net/rpc.
func (otherProtocol) Protocol() core.Protocol { return core.NetRPC }

// TestOurHostClosesInOrderEveryTime looks for races between a plugin's answer and its exit.
func TestOurHostClosesInOrderEveryTime(t *testing.T) {
	const runs = 20
	eachPeer(t, func(t *testing.T, p peer) {
		for _, s := range []setting{{}, {multiplexed: true}} {
			t.Run(s.String(), func(t *testing.T) {
				for i := range runs {
					t.Run(strconv.Itoa(i), func(t *testing.T) { p.launch(t, launch{setting: s}).closeInOrder(t) })
				}
			})
		}
	})
}

func TestOurHostClosesDuringACall(t *testing.T) {
	eachSubject(t, func(t *testing.T, u *subject) {
		blocked := u.sleeping(t, within(t))
		if err := u.Client.Stop(within(t)); err != nil {
			t.Errorf("close: %v", err)
		}
		if err := <-blocked; err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the call in flight: %v", err)
		} else {
			t.Log(err)
		}
		peers.ExpectFarewell(t, u.farewell, true)
		u.expectQuiet(t)
	})
}

func TestOurHostKills(t *testing.T) {
	eachSubject(t, func(t *testing.T, u *subject) {
		blocked := u.sleeping(t, within(t))
		if err := u.Kill(within(t)); err != nil {
			t.Fatal(err)
		}
		err := <-blocked
		t.Log(err)
		expectCode(t, err, codes.Unavailable)
		if err := u.Err(); err != nil {
			t.Errorf("after a requested kill: %v", err)
		}
		peers.ExpectFarewell(t, u.farewell, false)
		u.expectQuiet(t)
	})
}

func TestOurHostCallsAfterTheEnd(t *testing.T) {
	eachSubject(t, func(t *testing.T, u *subject) {
		u.closeInOrder(t)
		if err := u.Close(); err != nil {
			t.Errorf("the second close: %v", err)
		}
		err := u.echo(t, "x")
		if !errors.Is(err, core.ErrClosed) {
			t.Errorf("a call after the end: %v, expected core.ErrClosed", err)
		}
		if err := u.Ping(within(t)); err == nil {
			t.Error("ping succeeds after the end")
		}
	})
}

// TestOurHostKnowsWhyACallFailed ends the plugin during a call. The error of every call
// names the exit status, including streams and brokered connections.
func TestOurHostKnowsWhyACallFailed(t *testing.T) {
	const status, reason = 2, "panic: the reactor is on fire"
	eachSubject(t, func(t *testing.T, u *subject) {
		beside := u.sleeping(t, within(t))
		chat, err := u.probe.Chat(within(t))
		if err != nil {
			t.Fatal(err)
		}
		offered, err := u.probe.Offer(within(t), &conformancev1.OfferRequest{Count: 1})
		if err != nil {
			t.Fatal(err)
		}
		conn, err := u.probe.Conns.Client(within(t), offered.GetBrokerIds()[0])
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if _, err := conformancev1.NewHostServiceClient(conn).Answer(within(t), &conformancev1.AnswerRequest{}); err != nil {
			t.Fatal(err)
		}
		_, err = u.probe.Crash(within(t), &conformancev1.CrashRequest{Panic: "the reactor is on fire"})
		expectEnd(t, "the call", err, status, reason)
		expectCode(t, err, codes.Unavailable)
		expectEnd(t, "the call beside", <-beside, status, reason)
		_, err = chat.Recv()
		expectEnd(t, "the stream", err, status, reason)
		<-u.Done()
		for name, attempt := range map[string]func() error{
			"Err":      u.Err,
			"echo":     func() error { return u.echo(t, "x") },
			"ping":     func() error { return u.Ping(within(t)) },
			"dispense": func() error { _, err := u.Dispense(within(t), shared.PluginName); return err },
		} {
			expectEnd(t, name, attempt(), status, reason)
		}
		_, err = conformancev1.NewHostServiceClient(conn).Answer(within(t), &conformancev1.AnswerRequest{})
		if err == nil {
			t.Error("a brokered connection outlives its plugin")
		}
		t.Logf("over the brokered connection: %v", err)
		if err := u.Close(); err != nil {
			t.Errorf("close after the end: %v", err)
		}
		if log := u.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "exit status 2") {
			t.Errorf("the log does not report the plugin's unexpected end: %q", log)
		}
	})
}

// expectEnd expects an error with the plugin's exit status, in its type and in its text.
func expectEnd(t *testing.T, name string, err error, code int, head string) {
	t.Helper()
	var exit *core.ExitError
	if !errors.As(err, &exit) || exit.Code != code || exit.DeathLine() != head {
		t.Errorf("%s: got %v, expected a core.ExitError with status %d and %q", name, err, code, head)
	}
	if !strings.Contains(err.Error(), head) {
		t.Errorf("%s: the text of %v does not have %q", name, err, head)
	}
}

func TestOurHostGetsAContextsError(t *testing.T) {
	eachSubject(t, func(t *testing.T, u *subject) {
		ctx, cancel := context.WithCancel(within(t))
		blocked := u.sleeping(t, ctx)
		cancel()
		err := <-blocked
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, expected context.Canceled", err)
		}
		expectCode(t, err, codes.Canceled)
		ctx, cancel = context.WithTimeout(within(t), 50*time.Millisecond)
		defer cancel()
		err = <-u.sleeping(t, ctx)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, expected context.DeadlineExceeded", err)
		}
		expectCode(t, err, codes.DeadlineExceeded)
		u.closeInOrder(t)
	})
}

func TestOurHostsMessagesHaveALimitOfItsOwn(t *testing.T) {
	eachPeer(t, func(t *testing.T, p peer) {
		u := p.launch(t, launch{change: func(c *host.Config) {
			versions, _ := shared.ParseVersions("1")
			c.Versions = ourprobe.Versions(versions, transportgrpc.WithMaxMessageSize(1<<20))
		}})
		_, err := u.probe.Big(within(t), &conformancev1.BigRequest{AnswerSize: 2 << 20})
		expectCode(t, err, codes.ResourceExhausted)
		_, err = u.probe.Big(within(t), &conformancev1.BigRequest{Payload: make([]byte, 2<<20)})
		expectCode(t, err, codes.ResourceExhausted)
		u.expectAlive(t)
		u.closeInOrder(t)
	})
}
