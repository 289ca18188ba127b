//go:build linux || darwin || windows

package host_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/core/runner"
	"github.com/jackfield-go/jackfield/core/verify"
)

// lasting describes a plugin that outlives its host.
func lasting(t *testing.T) host.Config {
	t.Helper()
	cfg := config(t, "serve", "")
	cfg.Command.Outlive = true
	return cfg
}

// passedOn is the reattach data of a client, as another process reads it.
func passedOn(t *testing.T, client *host.Client) handshake.Reattach {
	t.Helper()
	data, err := client.Reattach()
	if err != nil {
		t.Fatal(err)
	}
	text, err := handshake.FormatReattachSecrets(map[string]handshake.Reattach{"a": data})
	if err != nil {
		t.Fatal(err)
	}
	plugins, err := handshake.ParseReattach(text)
	if err != nil {
		t.Fatal(err)
	}
	return plugins["a"]
}

// attach attaches, and closes the client with the test.
func attach(t *testing.T, cfg host.Config, data handshake.Reattach) *host.Client {
	t.Helper()
	client, err := host.Attach(within(t), cfg, data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// Nobody else would see Ctrl-Z stop a plugin that is no child.
func TestAnAttachedPluginDoesNotGetTheTerminal(t *testing.T) {
	first := launch(t, lasting(t))
	second := attach(t, config(t, "serve", ""), passedOn(t, first))
	err := second.WithTerminal(within(t), func(context.Context) error { return errors.New("lent") })
	if !errors.Is(err, host.ErrNoTerminal) {
		t.Errorf("got %v", err)
	}
	mention(t, err, "another process has launched")
}

// await waits for the end of a client's plugin.
func await(t *testing.T, client *host.Client) {
	t.Helper()
	select {
	case <-client.Done():
	case <-within(t).Done():
		t.Fatal("the client does not notice the end")
	}
}

func TestAttachTakesAPluginOverFromItsHost(t *testing.T) {
	for name, mtls := range map[string]host.MTLS{"plain": host.MTLSOff, "AutoMTLS": host.MTLSRequired} {
		t.Run(name, func(t *testing.T) {
			plugintest.NoLeaks(t)
			dirs := shortDir(t)
			cfg := lasting(t)
			cfg.Sockets.Dirs, cfg.AutoMTLS = []string{dirs}, mtls
			first := launch(t, cfg)
			data := passedOn(t, first)
			id := first.ID()
			if err := first.Detach(); err != nil {
				t.Fatal(err)
			}
			await(t, first)
			if err := first.Err(); err != nil {
				t.Errorf("the end of the first host's client: %v", err)
			}
			if _, err := tryCall(within(t), first, "echo", "x"); !errors.Is(err, core.ErrClosed) {
				t.Errorf("a call of the first host: %v", err)
			}
			if err := errors.Join(first.Kill(within(t)), first.Close(), first.Detach()); err != nil {
				t.Errorf("after Detach: %v", err)
			}

			second := attach(t, cfg, data)
			if got := call(t, second, "echo", "hello"); got != "hello" || second.ID() != id {
				t.Errorf("process %s answers %q, want %s", second.ID(), got, id)
			}
			if err := second.Close(); err != nil {
				t.Error(err)
			}
			empty(t, dirs)
		})
	}
}

func TestAttachAcceptsHostsInTurnAndAHostThatComesBack(t *testing.T) {
	plugintest.NoLeaks(t)
	cfg := lasting(t)
	first := launch(t, cfg)
	data := passedOn(t, first)
	for range 3 {
		if data.Line.Network == handshake.NetworkUnix {
			probe(t, data)
		}
		second := attach(t, cfg, data)
		call(t, second, "echo", "x")
		again := passedOn(t, second)
		if again.ID != data.ID || again.Started != data.Started {
			t.Errorf("the second host passes on %+v, want %+v", again, data)
		}
		if err := second.Detach(); err != nil {
			t.Fatal(err)
		}
		call(t, first, "echo", "x")
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
}

// probe connects and hangs up at once, as go-plugin's hosts do before they attach.
func probe(t *testing.T, data handshake.Reattach) {
	t.Helper()
	conn, err := net.Dial(data.Line.Network, data.Line.Address)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

func TestAttachedPluginSurvivesTheLossOfItsLog(t *testing.T) {
	cfg := lasting(t)
	first := launch(t, cfg)
	data := passedOn(t, first)
	if err := first.Detach(); err != nil {
		t.Fatal(err)
	}
	second := attach(t, cfg, data)
	if _, err := tryCall(within(t), second, "log", "nobody reads this\n"); err == nil {
		t.Log("the log still takes a line") // its pipe may be closed a moment later
	}
	call(t, second, "echo", "x")
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}

func TestAttachedClientReportsACrash(t *testing.T) {
	plugintest.NoLeaks(t)
	cfg := lasting(t)
	first := launch(t, cfg)
	second := attach(t, cfg, passedOn(t, first))
	_, err := tryCall(within(t), second, "exit", "3")
	var exit *core.ExitError
	if !errors.As(err, &exit) {
		t.Errorf("call: %v", err)
	}
	await(t, second)
	if !errors.As(second.Err(), &exit) || exit.Code != runner.ExitUnknown {
		t.Errorf("the end: %v", second.Err())
	}
	await(t, first)
	if !errors.As(first.Err(), &exit) || exit.Code != 3 {
		t.Errorf("the end at the first host: %v", first.Err())
	}
	if _, err := second.Reattach(); !errors.Is(err, core.ErrClosed) {
		t.Errorf("reattach data after the end: %v", err)
	}
	if _, err := host.Attach(within(t), cfg, handshake.Reattach{Line: passedOnLine(first), ID: first.ID()}); err == nil {
		t.Error("attached to an ended plugin")
	}
}

// passedOnLine is where a plugin listened.
func passedOnLine(*host.Client) handshake.Line {
	return handshake.Line{AppVersion: 1, Network: handshake.NetworkUnix, Address: "/nowhere/s", Protocol: string(faketransport.Protocol)}
}

func TestAttachRefuses(t *testing.T) {
	plugintest.NoLeaks(t)
	cfg := lasting(t)
	secured := lasting(t)
	secured.AutoMTLS = host.MTLSRequired
	plain := passedOn(t, launch(t, cfg))
	safe := passedOn(t, launch(t, secured))
	for name, test := range map[string]struct {
		config func(*host.Config)
		data   func(*handshake.Reattach)
		from   handshake.Reattach
		want   error
		text   string
	}{
		"another process with the number": {from: plain, data: func(r *handshake.Reattach) { r.Started += "1" }, want: os.ErrProcessDone},
		"a number without a process":      {from: plain, data: func(r *handshake.Reattach) { r.ID = "999999999" }, want: os.ErrProcessDone},
		"an address without a listener":   {from: plain, data: func(r *handshake.Reattach) { r.Line.Address += "x" }, text: "connect"},
		"an unknown version":              {from: plain, data: func(r *handshake.Reattach) { r.Line.AppVersion = 7 }, text: "version"},
		"no version where there are two": {
			from: plain, data: func(r *handshake.Reattach) { r.Line.AppVersion = 0 },
			config: func(c *host.Config) { c.Versions = faketransport.Versions(new(faketransport.Transport), 1, 2) }, text: "does not tell",
		},
		"another protocol":    {from: plain, data: func(r *handshake.Reattach) { r.Line.Protocol = "grpc" }, text: "grpc"},
		"a wish for AutoMTLS": {from: plain, config: func(c *host.Config) { c.AutoMTLS = host.MTLSRequired }, want: host.ErrNoCertificate},
		"a wish for verification": {from: plain, config: func(c *host.Config) {
			c.Verify.Verifier = verify.Func(func(context.Context, *verify.Program) error { return nil })
		}, text: "verified"},
		"a runner that attaches to none": {from: plain, config: func(c *host.Config) { *c = withRunner(*c, startsOnly) }, text: "runner.Attacher"},
		"no secret":                      {from: safe, data: func(r *handshake.Reattach) { r.Secret = "" }, want: host.ErrNoSecret},
		"an unreadable secret":           {from: safe, data: func(r *handshake.Reattach) { r.Secret = "hush" }, text: "certificate"},
		"the secret of another host":     {from: safe, data: func(r *handshake.Reattach) { r.Secret = othersSecret(t) }, text: "TLS"},
		"data without its certificate":   {from: safe, data: func(r *handshake.Reattach) { r.Line.ServerCert = nil }, text: "attach to"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, data := lasting(t), test.from
			if test.config != nil {
				test.config(&cfg)
			}
			if test.data != nil {
				test.data(&data)
			}
			client, err := host.Attach(within(t), cfg, data)
			if err == nil {
				_ = client.Detach()
				t.Fatal("attached")
			}
			var failure *host.AttachError
			if !errors.As(err, &failure) || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("error %v", err)
			}
			if strings.Contains(err.Error(), "hush") {
				t.Errorf("the secret is in %v", err)
			}
		})
	}
	call(t, attach(t, cfg, plain), "echo", "the plugin is well")
	call(t, attach(t, secured, safe), "echo", "and the other")
}

// startsOnly is a runner without the methods of an Attacher.
func startsOnly(cmd runner.Command) runner.Runner {
	return struct{ runner.Runner }{runner.NewProcess(cmd)}
}

func othersSecret(t *testing.T) handshake.Secret {
	t.Helper()
	cfg := lasting(t)
	cfg.AutoMTLS = host.MTLSRequired
	return passedOn(t, launch(t, cfg)).Secret
}

func TestAttachEndsNoProcessButThePlugins(t *testing.T) {
	plugintest.NoLeaks(t)
	cfg := lasting(t)
	data := passedOn(t, launch(t, cfg))
	bystander := runner.NewProcess(runner.Command{Path: cfg.Command.Path, Env: []string{roleVariable + "=hang"}})
	if err := bystander.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer bystander.Kill(context.Background())
	// As go-plugin tells it, without the start of the process.
	for name, id := range map[string]string{
		"another process": bystander.ID(),
		"this process":    strconv.Itoa(os.Getpid()),
		"none":            "",
	} {
		t.Run(name, func(t *testing.T) {
			data := data
			data.ID, data.Started = id, ""
			client := attach(t, cfg, data)
			call(t, client, "echo", "x")
			if err := client.Kill(within(t)); err == nil {
				t.Error("Kill reports that the plugin has ended")
			}
			if err := client.Detach(); err != nil {
				t.Error(err)
			}
		})
	}
	if bystander.Started() == "" {
		t.Error("the other process was killed")
	}
	data.Started = ""
	client := attach(t, cfg, data) // the number is the listening process's
	if err := client.Kill(within(t)); err != nil {
		t.Error(err)
	}
	_ = bystander.Stdout().Close()
	_ = bystander.Stderr().Close()
}

func TestAttachLeavesAPluginInTestModeAlone(t *testing.T) {
	plugintest.NoLeaks(t)
	cfg := lasting(t)
	first := launch(t, cfg)
	data := passedOn(t, first)
	data.Test = true
	for name, end := range map[string]func(*host.Client) error{
		"Close": (*host.Client).Close,
		"Kill":  func(c *host.Client) error { return c.Kill(within(t)) },
		"Stop":  func(c *host.Client) error { return c.Stop(within(t)) },
	} {
		client := attach(t, cfg, data)
		call(t, client, "echo", "x")
		if again := passedOn(t, client); !again.Test {
			t.Error("the client passes the plugin on as a usual one")
		}
		if err := end(client); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		await(t, client)
		call(t, first, "echo", "still there")
	}
	data.ID = "999999999" // in a container, for example
	call(t, attach(t, cfg, data), "echo", "x")
}

// attachable is a runner of a host's own.
type attachable struct {
	*runner.Process

	attached *string
}

func (a attachable) Attach(ctx context.Context, id, started string) error {
	*a.attached = id
	return a.Process.Attach(ctx, id, started)
}

func TestAttachUsesTheHostsOwnRunner(t *testing.T) {
	plugintest.NoLeaks(t)
	var attached string
	cfg := withRunner(lasting(t), func(cmd runner.Command) runner.Runner {
		return attachable{runner.NewProcess(cmd), &attached}
	})
	first := launch(t, cfg)
	data := passedOn(t, first)
	if err := first.Detach(); err != nil {
		t.Fatal(err)
	}
	second := attach(t, cfg, data)
	call(t, second, "echo", "x")
	if attached != data.ID {
		t.Errorf("the runner attached to %q, want %q", attached, data.ID)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}

func TestDetachRefusesAPluginThatEndsWithItsHost(t *testing.T) {
	client := launch(t, config(t, "serve", ""))
	if err := client.Detach(); err == nil || !strings.Contains(err.Error(), "Outlive") {
		t.Errorf("error %v", err)
	}
	call(t, client, "echo", "x")
}

func TestDetachRefusesARunnerThatCannot(t *testing.T) {
	client := launch(t, withRunner(lasting(t), startsOnly))
	for _, err := range []error{client.Detach(), func() error { _, err := client.Reattach(); return err }()} {
		if err == nil || !strings.Contains(err.Error(), "runner.Attacher") {
			t.Errorf("error %v", err)
		}
	}
	call(t, client, "echo", "x")
}
