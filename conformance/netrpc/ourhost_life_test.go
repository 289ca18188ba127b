package netrpc_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/peers"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/host"
)

func TestOurHostReceivesThePluginsOutput(t *testing.T) {
	eachSubject(t, func(t *testing.T, u *subject) {
		long := strings.Repeat("y", 200<<10) + "\n"
		for _, texts := range [][2]string{
			{"first out\n", "first err\n"},
			{long, "second err without a newline"},
		} {
			if err := u.probe.Print(within(t), texts[0], texts[1]); err != nil {
				t.Fatal(err)
			}
		}
		err := errors.Join(
			u.stdout.WaitFor(within(t), "stdout", "first out\n"+long),
			u.stderr.WaitFor(within(t), "stderr", "first err\nsecond err without a newline"),
		)
		if err != nil {
			t.Error(err)
		}
		u.closeInOrder(t)
	})
}

// TestOurHostKeepsTheLastOutput asserts complete output between two sides of ours. A plugin
// on go-plugin does not wait for its output when it leaves (F13), so there the test only
// counts.
func TestOurHostKeepsTheLastOutput(t *testing.T) {
	const runs = 30
	eachPeer(t, func(t *testing.T, p peer) {
		arrived := 0
		for i := range runs {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				u := p.launch(t, setting{})
				if err := u.probe.Print(within(t), "last words\n", "last errors\n"); err != nil {
					t.Fatal(err)
				}
				u.closeInOrder(t)
				if u.stdout.String() == "last words\n" && u.stderr.String() == "last errors\n" {
					arrived++
				}
			})
		}
		t.Logf("printed last, then an orderly close: all arrived in %d of %d runs", arrived, runs)
		if p.ours && arrived != runs {
			t.Errorf("output was lost in %d of %d runs", runs-arrived, runs)
		}
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
				u := p.launch(t, setting{host: test.host, plugin: test.plugin})
				if got := u.NegotiatedVersion(); got != test.want {
					t.Errorf("negotiated %d, expected %d", got, test.want)
				}
				if got, err := u.probe.Version(within(t)); err != nil || got != test.want {
					t.Errorf("dispensed from version %d, %v; expected %d", got, err, test.want)
				}
				if got := u.Protocol(); got != core.NetRPC {
					t.Errorf("protocol %q", got)
				}
				u.closeInOrder(t)
			})
		})
	}
}

func TestOurHostHasNoVersionInCommon(t *testing.T) {
	for _, test := range []struct {
		name, host, plugin string
		lists              core.VersionError // as far as known, for our plugin
	}{
		{"newer plugin", "1", "2,3", core.VersionError{Host: []int{1}, Plugin: []int{2, 3}}},
		{"older plugin", "4,5", "1,2", core.VersionError{Host: []int{4, 5}, Plugin: []int{1, 2}}},
		{"plugin without versions", "1,2", "legacy:7", core.VersionError{Host: []int{1, 2}, Plugin: []int{7}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachPeer(t, func(t *testing.T, p peer) {
				u, cfg := p.prepare(t, setting{host: test.host, plugin: test.plugin})
				_, err := host.Launch(within(t), cfg)
				var launch *host.LaunchError
				var mismatch *core.VersionError
				if !errors.As(err, &launch) || launch.Stage != host.StageNegotiate || !errors.As(err, &mismatch) {
					t.Fatalf("got %v, expected a core.VersionError in a host.LaunchError", err)
				}
				t.Log(mismatch)
				// Plugins on go-plugin announce only their lowest version, and no list.
				known := test.lists.Plugin
				if !p.ours {
					known = known[:1]
				}
				if !slices.Equal(mismatch.Host, test.lists.Host) || !slices.Equal(mismatch.Plugin, known) || mismatch.Complete != p.ours {
					t.Errorf("got %+v, expected %v and %v", *mismatch, test.lists.Host, known)
				}
				u.expectQuiet(t)
			})
		})
	}
}

func TestOurHostSendsTheListToThePlugin(t *testing.T) {
	eachPeer(t, func(t *testing.T, p peer) {
		u := p.launch(t, setting{host: "1,2", plugin: "1"})
		for name, want := range map[string]string{
			handshake.EnvProtocolVersions: "1,2",
			shared.CookieKey:              shared.CookieValue,
		} {
			if p.ours {
				want = "" // our plugin unsets it after reading
			}
			if got, err := u.probe.Env(within(t), name); err != nil || got != want {
				t.Errorf("%s: %q, %v; expected %q", name, got, err, want)
			}
		}
		u.closeInOrder(t)
	})
}

func TestOurHostClosesInOrder(t *testing.T) {
	eachSubject(t, func(t *testing.T, u *subject) {
		u.expectAlive(t)
		u.closeInOrder(t)
		if err := u.Close(); err != nil {
			t.Errorf("the second close: %v", err)
		}
		if _, err := u.probe.Echo(within(t), "x"); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a call after the end: %v", err)
		}
	})
}

// TestOurHostClosesInOrderEveryTime looks for the race between a plugin's answer and its
// exit (F24).
func TestOurHostClosesInOrderEveryTime(t *testing.T) {
	const runs = 100
	eachPeer(t, func(t *testing.T, p peer) {
		for i := range runs {
			t.Run(strconv.Itoa(i), func(t *testing.T) { p.launch(t, setting{}).closeInOrder(t) })
		}
	})
}

func TestOurHostClosesDuringACall(t *testing.T) {
	eachPeer(t, func(t *testing.T, p peer) {
		u := p.launch(t, setting{})
		blocked := make(chan error, 1)
		go func() { blocked <- u.probe.Block(within(t)) }()
		u.expectAlive(t)
		if err := u.Stop(within(t)); err != nil {
			t.Errorf("close: %v", err)
		}
		if err := <-blocked; err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the call in flight: %v", err)
		}
		peers.ExpectFarewell(t, u.farewell, true)
		u.expectQuiet(t)
	})
}

func TestOurHostKills(t *testing.T) {
	eachSubject(t, func(t *testing.T, u *subject) {
		blocked := make(chan error, 1)
		go func() { blocked <- u.probe.Block(within(t)) }()
		u.expectAlive(t)
		if err := u.Kill(within(t)); err != nil {
			t.Fatal(err)
		}
		if err := <-blocked; err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the call in flight: %v", err)
		}
		if err := u.Err(); err != nil {
			t.Errorf("after a requested kill: %v", err)
		}
		peers.ExpectFarewell(t, u.farewell, false)
		u.expectQuiet(t)
	})
}

func TestOurHostSeesThePluginExitDuringACall(t *testing.T) {
	eachSubject(t, func(t *testing.T, u *subject) {
		const status = 7
		for _, attempt := range []func() error{
			func() error { return u.probe.Exit(within(t), status) },
			func() error { <-u.Done(); return u.Err() },
			func() error { _, err := u.probe.Echo(within(t), "x"); return err },
			func() error { _, err := u.Dispense(within(t), shared.PluginName); return err },
			func() error { return u.Ping(within(t)) },
		} {
			err := attempt()
			var exit *core.ExitError
			if !errors.As(err, &exit) || exit.Code != status {
				t.Errorf("got %v, expected a core.ExitError with status %d", err, status)
			}
		}
		if err := u.Close(); err != nil {
			t.Errorf("close after the exit: %v", err)
		}
		peers.ExpectFarewell(t, u.farewell, false)
		if log := u.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "exit status 7") {
			t.Errorf("the log does not report the plugin's unexpected end: %q", log)
		}
	})
}

func TestOurHostIsNotThePluginsHost(t *testing.T) {
	eachPeer(t, func(t *testing.T, p peer) {
		u, cfg := p.prepare(t, setting{})
		cfg.Handshake.MagicCookieValue = "another application's"
		_, err := host.Launch(within(t), cfg)
		var launch *host.LaunchError
		if !errors.As(err, &launch) || launch.Exit == nil || launch.Exit.Code != 1 {
			t.Fatalf("got %v, expected a host.LaunchError with the exit", err)
		}
		if !strings.Contains(launch.Hint, "host is another application") {
			t.Errorf("hint: %q", launch.Hint)
		}
		u.expectQuiet(t)
	})
}
