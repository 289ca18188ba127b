package netrpc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/netrpc/ourprobe"
	"github.com/jackfield-go/jackfield/conformance/peers"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

func TestOurHostDispensesANewInstanceEachTime(t *testing.T) {
	eachSubject(t, func(t *testing.T, u *subject) {
		for want, probe := range []*ourprobe.Probe{1: u.probe, 2: u.dispense(t)} {
			if probe == nil {
				continue // instances are numbered from 1
			}
			instance, err := probe.Instance(within(t))
			if err != nil || instance != want {
				t.Errorf("instance %d, %v; expected %d", instance, err, want)
			}
			if count, err := probe.Count(within(t)); err != nil || count != 1 {
				t.Errorf("count %d, %v; expected 1", count, err)
			}
		}
		u.closeInOrder(t)
	})
}

func TestOurHostDispensesAnUnknownName(t *testing.T) {
	// The host's set has a name unknown to the plugin.
	more := func(c *host.Config) {
		c.Versions = core.Versions{1: {netrpc.New(
			ourprobe.Carry(ourprobe.Plugin, nil),
			ourprobe.Carry(core.DefineSides[ourprobe.Suite, *ourprobe.Probe]("newer"), nil),
		)}}
	}
	eachPeer(t, func(t *testing.T, p peer) {
		u := p.launch(t, setting{change: more})
		for name, side := range map[string]string{"newer": "plugin", "nonesuch": "host"} {
			_, err := u.Dispense(within(t), name)
			var unknown *core.UnknownPluginError
			if !errors.As(err, &unknown) || unknown.Name != name || unknown.Side != side {
				t.Errorf("%s: got %v, expected a core.UnknownPluginError of the %s", name, err, side)
			}
		}
		u.expectAlive(t)
		u.closeInOrder(t)
	})
}

func TestOurHostCalls(t *testing.T) {
	eachSubject(t, func(t *testing.T, u *subject) {
		for _, text := range []string{"", "hello", "Grüße\x00\n", strings.Repeat("x", 1<<20)} {
			if got, err := u.probe.Echo(within(t), text); err != nil || got != text {
				t.Errorf("echo of %d bytes: %d bytes, %v", len(text), len(got), err)
			}
		}
		if sum, err := u.probe.Sum(within(t), 4, -7); err != nil || sum != -3 {
			t.Errorf("sum %d, %v; expected -3", sum, err)
		}
		for _, n := range []int{0, 1, 64 << 10, 3 << 20} {
			if got, err := u.probe.Bytes(within(t), n); err != nil || !bytes.Equal(got, shared.Pattern(n)) {
				t.Errorf("%d bytes: %d arrived, or different bytes; %v", n, len(got), err)
			}
		}
		if pid, err := u.probe.Pid(within(t)); err != nil || strconv.Itoa(pid) != u.ID() {
			t.Errorf("pid %d, %v; expected %s", pid, err, u.ID())
		}
		cookie := shared.CookieValue
		if u.ours {
			cookie = "" // our plugin unsets it after reading
		}
		if value, err := u.probe.Env(within(t), shared.CookieKey); err != nil || value != cookie {
			t.Errorf("cookie %q, %v; expected %q", value, err, cookie)
		}
		u.closeInOrder(t)
	})
}

func TestOurHostGetsErrors(t *testing.T) {
	eachSubject(t, func(t *testing.T, u *subject) {
		const message = "the disk is full: 0 of 12 MB"
		var remote netrpc.RemoteError
		if err := u.probe.Fail(within(t), message); !errors.As(err, &remote) || string(remote) != message {
			t.Errorf("got %v, expected %q", err, message)
		}
		err := u.probe.Call(within(t), "NoSuchMethod", "", new(string))
		if !errors.As(err, &remote) || !strings.HasPrefix(string(remote), "rpc: can't find method Plugin.NoSuchMethod") {
			t.Errorf("unknown method: %v", err)
		}
		err = u.probe.Call(within(t), "Sum", "no two numbers", new(int64))
		if !errors.As(err, &remote) {
			t.Errorf("arguments of another type: %v", err)
		}
		if err := u.probe.Call(within(t), "Echo", "text", new(int64)); err == nil || errors.Is(err, core.ErrConnectionLost) {
			t.Errorf("reply of another type: %v", err)
		}
		u.expectAlive(t)
		u.closeInOrder(t)
	})
}

func TestOurHostCallsInParallel(t *testing.T) {
	const callers, each = 32, 50
	eachSubject(t, func(t *testing.T, u *subject) {
		var calls sync.WaitGroup
		for caller := range callers {
			calls.Go(func() {
				for i := range each {
					want := int64(caller*each + i + 1)
					if got, err := u.probe.Sum(within(t), want, 0); err != nil || got != want {
						t.Errorf("sum %d, %v; expected %d", got, err, want)
						return
					}
				}
			})
		}
		calls.Wait()
		u.closeInOrder(t)
	})
}

func TestOurHostAbandonsACall(t *testing.T) {
	eachSubject(t, func(t *testing.T, u *subject) {
		ctx, cancel := context.WithCancel(within(t))
		blocked := make(chan error, 1)
		go func() { blocked <- u.probe.Block(ctx) }()
		u.expectAlive(t) // beside the blocking call
		cancel()
		if err := <-blocked; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, expected context.Canceled", err)
		}
		u.expectAlive(t)
		if err := u.probe.Release(within(t)); err != nil {
			t.Error(err)
		}
		if err := u.probe.Block(within(t)); err != nil {
			t.Errorf("after its release: %v", err)
		}
		u.expectAlive(t) // the abandoned call's answer arrived in between
		u.closeInOrder(t)
	})
}

func TestOurHostPings(t *testing.T) {
	eachSubject(t, func(t *testing.T, u *subject) {
		for range 10 {
			if err := u.Ping(within(t)); err != nil {
				t.Error(err)
			}
		}
		u.closeInOrder(t)
		if err := u.Ping(within(t)); err == nil {
			t.Error("ping succeeds after the plugin's end")
		}
	})
}

func TestOurHostRunsManyPluginsAtOnce(t *testing.T) {
	const plugins = 8
	eachPeer(t, func(t *testing.T, p peer) {
		subjects := make([]*subject, plugins)
		for i := range subjects {
			subjects[i] = p.launch(t, setting{})
		}
		var all sync.WaitGroup
		for i, u := range subjects {
			all.Go(func() {
				text := fmt.Sprintf("plugin %d", i)
				if got, err := u.probe.Echo(within(t), text); err != nil || got != text {
					t.Errorf("echo %q, %v; expected %q", got, err, text)
				}
				if err := u.Stop(within(t)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, u := range subjects {
			peers.ExpectFarewell(t, u.farewell, true)
			u.expectQuiet(t)
		}
	})
}
