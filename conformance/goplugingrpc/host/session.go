package main

import (
	"context"
	"fmt"
	"os/exec"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/jackfield-go/jackfield/conformance/goplugin/recorder"
	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/probe"
	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/probeplugin"
	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/scenario"
)

// session is one plugin of a go-plugin host, from before its launch until after its end.
type session struct {
	opts     options
	recorder *recorder.Recorder
	command  *exec.Cmd
	client   *goplugin.Client
	protocol goplugin.ClientProtocol
	stdout   *shared.Output
	stderr   *shared.Output
	values   map[string]any

	stopping sync.Once
	stopErr  error
	ended    shared.Ended
}

var _ scenario.Host = (*session)(nil)

func newSession(opts options) *session {
	return &session{
		opts:     opts,
		recorder: recorder.New(opts.log),
		stdout:   shared.NewOutput(),
		stderr:   shared.NewOutput(),
		values:   make(map[string]any),
	}
}

// perform launches the plugin and runs the scenario on it.
func (s *session) perform(ctx context.Context, of scenario.Scenario) error {
	began := time.Now()
	if err := s.launch(ctx); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	client, err := s.Dispense(ctx, shared.PluginName)
	if err != nil {
		return fmt.Errorf("dispense: %w", err)
	}
	s.values["launchMs"] = milliseconds(time.Since(began))
	return of.Do(ctx, &scenario.Run{Host: s, Probe: client, Values: s.values})
}

func (s *session) launch(ctx context.Context) error {
	// The command runs until its plugin exits or go-plugin kills it, independent of any
	// context.
	s.command = exec.Command(s.opts.plugin, s.opts.arguments...)
	config := probeplugin.Client(s.opts.versions)
	config.Cmd = s.command
	config.Logger = s.recorder.Logger()
	config.SyncStdout, config.SyncStderr = s.stdout, s.stderr
	config.StartTimeout = s.opts.startTimeout
	config.AutoMTLS = s.opts.autoMTLS
	config.GRPCBrokerMultiplex = s.opts.multiplex
	s.client = goplugin.NewClient(config)
	var err error
	s.protocol, err = shared.Bounded(ctx, s.client.Client)
	return err
}

// Dispense returns a client of the named plugin.
func (s *session) Dispense(ctx context.Context, name string) (*probe.Client, error) {
	raw, err := shared.Bounded(ctx, func() (any, error) { return s.protocol.Dispense(name) })
	if err != nil {
		return nil, err
	}
	client, ok := raw.(*probe.Client)
	if !ok {
		return nil, fmt.Errorf("got a %T", raw)
	}
	return client, nil
}

// Ping checks that the plugin is alive.
func (s *session) Ping(ctx context.Context) error {
	_, err := shared.Bounded(ctx, func() (struct{}, error) { return struct{}{}, s.protocol.Ping() })
	return err
}

// Version returns the negotiated version.
func (s *session) Version() int { return s.client.NegotiatedVersion() }

// Pid returns the process ID.
func (s *session) Pid() int { return s.command.Process.Pid }

// Stdout returns the plugin's standard output.
func (s *session) Stdout() *shared.Output { return s.stdout }

// Stderr returns the plugin's standard error.
func (s *session) Stderr() *shared.Output { return s.stderr }

// Stop lets go-plugin kill the plugin after asking it to leave, and notes the result. If
// the kill hangs, Stop still removes the process.
func (s *session) Stop(ctx context.Context) error {
	s.stopping.Do(func() { s.stopErr = s.stop(ctx) })
	return s.stopErr
}

func (s *session) stop(ctx context.Context) error {
	if s.client == nil {
		return nil
	}
	// A scenario past its timeout still ends its plugin.
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), s.opts.timeout,
		fmt.Errorf("not done after %v", s.opts.timeout))
	defer cancel()
	began := time.Now()
	_, err := shared.Bounded(ctx, func() (struct{}, error) {
		s.client.Kill()
		return struct{}{}, nil
	})
	if err != nil && s.command.Process != nil {
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

// Ended waits until go-plugin reports the end.
func (s *session) Ended(ctx context.Context) (string, error) {
	record, err := s.recorder.WaitFor(ctx, "plugin process exited")
	if err != nil {
		return "", err
	}
	if status := record.Value("error"); status != nil {
		return fmt.Sprint(status), nil
	}
	return "", nil
}

func (s *session) warnings() []string { return s.recorder.AtLeast(hclog.Warn) }
