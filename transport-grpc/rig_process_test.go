package transportgrpc_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/core/transporttest"
	transportgrpc "github.com/jackfield-go/jackfield/transport-grpc"
)

// pluginVariable makes the test binary serve as a plugin of a kind.
const pluginVariable = "JACKFIELD_TRANSPORTGRPC_PLUGIN"

var cookie = core.Handshake{MagicCookieKey: "JACKFIELD_TRANSPORTGRPC", MagicCookieValue: "probe"}

// served is it for a plugin of a process's own: the same name, with the
// type of the probe there.
var served = core.Define[transporttest.Probe](it.Name())

// pluginKinds are the plugins launched by the tests, each a main function.
var pluginKinds = map[string]func(){
	"probe": func() {
		plugin.Serve(plugin.Config{
			Handshake:  cookie,
			Versions:   core.Versions{1: {transportgrpc.New(transportgrpc.Carry(served, registerProbe, newProbeClient))}},
			Implements: served.Bind(testProbe{}),
		})
	},
	"bare": serveBare,
}

// process is a plugin's.
type process struct {
	*host.Client
	handle

	stdout, stderr, log *log
	sockets             string // the directory for sockets of host and plugin
}

// launch starts a plugin of a kind. Its host logs above debug.
func launch(t *testing.T, kind string, cfg host.Config, opts ...transportgrpc.Option) *process {
	t.Helper()
	p, err := tryLaunch(t, kind, cfg, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func tryLaunch(t *testing.T, kind string, cfg host.Config, opts ...transportgrpc.Option) (*process, error) {
	t.Helper()
	plugintest.NoLeaks(t)
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{stdout: newLog(), stderr: newLog(), log: newLog(), sockets: newSockets(t).dir}
	cfg.Handshake = cookie
	cfg.Versions = core.Versions{1: {transportgrpc.New(append(opts, handles)...)}}
	cfg.Command.Path = executable
	// The race detector's second of sleep at exit would count as the plugin's.
	cfg.Command.Env = append(cfg.Command.Env, pluginVariable+"="+kind, "GORACE=atexit_sleep_ms=0")
	cfg.Outputs.PrintedStdout, cfg.Outputs.PrintedStderr = p.stdout, p.stderr
	cfg.Sockets.Dirs = []string{p.sockets}
	if cfg.Logger == nil {
		cfg.Logger = p.log.logger(slog.LevelInfo)
	}
	p.Client, err = host.Launch(within(t), cfg)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = p.Kill(within(t)) })
	p.handle, err = host.Dispense(within(t), p.Client, it)
	return p, err
}

// socketFiles counts the files of host and plugin in their directory.
func socketFiles(t *testing.T, p *process) (n int) {
	t.Helper()
	err := filepath.WalkDir(p.sockets, func(_ string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// options of a host in the mode.
func (m mode) options() []transportgrpc.Option {
	if m.multiplexed {
		return []transportgrpc.Option{transportgrpc.WithMultiplexing()}
	}
	return nil
}
