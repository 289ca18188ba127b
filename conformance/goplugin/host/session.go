package main

import (
	"context"
	"fmt"
	"os/exec"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/conformance/goplugin/probeplugin"
	"github.com/jackfield-go/jackfield/conformance/goplugin/recorder"
	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
)

// session is one plugin, from before its launch until after its end, with the observations
// of a scenario.
type session struct {
	opts     options
	command  *exec.Cmd
	recorder *recorder.Recorder
	client   *goplugin.Client
	protocol goplugin.ClientProtocol
	stdout   *shared.Output
	stderr   *shared.Output

	values map[string]any
	ended  shared.Ended
	over   bool
}

func newSession(opts options) *session {
	return &session{
		opts:     opts,
		recorder: recorder.New(opts.log),
		stdout:   shared.NewOutput(),
		stderr:   shared.NewOutput(),
		values:   make(map[string]any),
	}
}

// see notes a value for the report.
func (s *session) see(name string, value any) { s.values[name] = value }

// pluginCommand returns the command of the plugin on the command line.
func (s *session) pluginCommand() *exec.Cmd {
	// The command runs until its plugin exits or go-plugin kills it, independent of any
	// context.
	command := exec.Command(s.opts.plugin, s.opts.arguments...)
	command.Env = s.opts.environment
	return command
}

// launch starts the plugin, connects, and notes the time for both.
func (s *session) launch(ctx context.Context) error {
	return s.launchCommand(ctx, s.pluginCommand())
}

func (s *session) launchCommand(ctx context.Context, command *exec.Cmd) error {
	config := probeplugin.Client(s.opts.versions)
	config.Cmd = command
	config.Logger = s.recorder.Logger()
	config.SyncStdout = s.stdout
	config.SyncStderr = s.stderr
	config.StartTimeout = s.opts.startTimeout
	config.AutoMTLS = s.opts.autoMTLS
	s.command = command
	began := time.Now()
	if err := s.connect(ctx, goplugin.NewClient(config)); err != nil {
		return err
	}
	s.see("launchMs", milliseconds(time.Since(began)))
	return nil
}

// connect starts client's plugin if necessary, connects to it, and registers it as the
// plugin to end.
func (s *session) connect(ctx context.Context, client *goplugin.Client) error {
	s.client, s.over = client, false
	protocol, err := shared.Bounded(ctx, client.Client)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	s.protocol = protocol
	return nil
}

// dispense returns a new instance of the probe.
func (s *session) dispense(ctx context.Context) (*shared.Probe, error) {
	raw, err := shared.Bounded(ctx, func() (any, error) {
		return s.protocol.Dispense(shared.PluginName)
	})
	if err != nil {
		return nil, fmt.Errorf("dispense: %w", err)
	}
	probe, ok := raw.(*shared.Probe)
	if !ok {
		return nil, fmt.Errorf("dispense: got a %T", raw)
	}
	return probe, nil
}

// launchProbe launches the plugin and dispenses the probe.
func (s *session) launchProbe(ctx context.Context) (*shared.Probe, error) {
	if err := s.launch(ctx); err != nil {
		return nil, err
	}
	return s.dispense(ctx)
}

// end lets go-plugin kill the plugin, once, and notes the result. If the kill hangs, end
// still removes the process.
func (s *session) end(ctx context.Context) error {
	if s.client == nil || s.over {
		return nil
	}
	s.over = true
	// A scenario past its timeout still ends its plugin.
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), s.opts.timeout,
		fmt.Errorf("not done after %v", s.opts.timeout))
	defer cancel()
	began := time.Now()
	_, err := shared.Bounded(ctx, func() (struct{}, error) {
		s.client.Kill()
		return struct{}{}, nil
	})
	if err != nil && s.command != nil && s.command.Process != nil {
		_ = s.command.Process.Kill() // the report contains the error
	}
	s.ended = s.recorder.Ended()
	s.ended.Milliseconds = milliseconds(time.Since(began))
	if err != nil {
		return fmt.Errorf("kill: %w", err)
	}
	s.ended.Exited = s.client.Exited()
	return nil
}

func (s *session) warnings() []string { return s.recorder.AtLeast(hclog.Warn) }
