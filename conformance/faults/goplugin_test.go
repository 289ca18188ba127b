//go:build unix

package faults

import (
	"bytes"
	"context"
	"net/rpc"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/conformance/goplugin/probeplugin"
	"github.com/jackfield-go/jackfield/conformance/goplugin/recorder"
	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
)

const probeName = shared.PluginName

// oneVersion is the version used by every test here.
func oneVersion() shared.Versions { return shared.Versions{Numbers: []int{1}} }

// faultyPlugin serves the probe with the additional methods of [faulty].
type faultyPlugin struct {
	probeplugin.Plugin

	world          world
	stdout, stderr *os.File
}

// Server returns a new instance.
func (p *faultyPlugin) Server(broker *goplugin.MuxBroker) (any, error) {
	factory := &shared.Factory{Version: 1}
	return &faulty{Server: factory.New(broker), world: p.world, stdout: p.stdout, stderr: p.stderr}, nil
}

// Client returns a *shared.Probe.
func (p *faultyPlugin) Client(broker *goplugin.MuxBroker, client *rpc.Client) (any, error) {
	return p.Plugin.Client(broker, client)
}

// faulty is a probe with methods that trigger faults. Its files are the process's own, from
// before any library changed os.Stdout and os.Stderr.
type faulty struct {
	*shared.Server

	world          world
	stdout, stderr *os.File
}

// Flood writes n bytes without a newline to the process's own standard output.
func (f *faulty) Flood(n int, written *int) error {
	var err error
	*written, err = f.stdout.Write(bytes.Repeat([]byte{'x'}, n))
	return err
}

// LeaveHolder starts a child process and does not wait for it. The child holds this
// process's own standard error until the pipe with the given name is released.
func (f *faulty) LeaveHolder(name string, pid *int) error {
	command, err := f.world.command("holder", name)
	if err != nil {
		return err
	}
	command.Stderr = f.stderr
	if err := command.Start(); err != nil {
		return err
	}
	*pid = command.Process.Pid
	return nil
}

// command returns this program in a role.
func (w world) command(role, argument string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.Command(self) // ended by the world, not by a context
	command.Env = w.environment(role, argument)
	return command, nil
}

// subject is one plugin, seen from a go-plugin host.
type subject struct {
	*goplugin.Client

	log *recorder.Recorder
}

// subject makes a go-plugin client for this program in a role. Nothing runs
// before its Start.
func (w world) subject(role, argument string, change func(*goplugin.ClientConfig)) (subject, error) {
	command, err := w.command(role, argument)
	if err != nil {
		return subject{}, err
	}
	log := recorder.New(nil)
	config := probeplugin.Client(oneVersion())
	config.Cmd = command
	config.SkipHostEnv = true // the role's environment is complete
	config.Logger = log.Logger()
	config.StartTimeout = 10 * time.Second
	if change != nil {
		change(config)
	}
	return subject{goplugin.NewClient(config), log}, nil
}

// goplugin is subject for tests; the end of the test kills the plugin.
func (w world) goplugin(t *testing.T, role, argument string, change func(*goplugin.ClientConfig)) subject {
	t.Helper()
	s, err := w.subject(role, argument, change)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !within(5*time.Second, running(s.Kill)) {
			t.Error("go-plugin's kill does not return")
		}
	})
	return s
}

// probe starts the plugin and dispenses the probe.
func (s subject) probe() (*shared.Probe, error) {
	protocol, err := s.Client.Client()
	if err != nil {
		return nil, err
	}
	raw, err := protocol.Dispense(probeName)
	if err != nil {
		return nil, err
	}
	return raw.(*shared.Probe), nil
}

// mustProbe is probe for tests.
func (s subject) mustProbe(t *testing.T) *shared.Probe {
	t.Helper()
	probe, err := s.probe()
	if err != nil {
		t.Fatal(err)
	}
	return probe
}

// runHost runs this program as a go-plugin host to its end, and returns its output and its
// exit status.
func (w world) runHost(t *testing.T, role, argument string, extra ...string) (stdout, stderr string, status int) {
	t.Helper()
	command, err := w.command(role, argument)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	bound := exec.CommandContext(ctx, command.Path)
	bound.Env = slices.Concat(command.Env, extra)
	// A plugin that outlives its host keeps these pipes open as long.
	bound.WaitDelay = time.Second
	var out, errs bytes.Buffer
	bound.Stdout, bound.Stderr = &out, &errs
	_ = bound.Run() // its status is the result
	if bound.ProcessState == nil {
		t.Fatalf("host %q did not run", role)
	}
	return out.String(), errs.String(), bound.ProcessState.ExitCode()
}
