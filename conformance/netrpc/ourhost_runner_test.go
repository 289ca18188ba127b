package netrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"

	goplugin "github.com/hashicorp/go-plugin/runner"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/runner"
	netrpc "github.com/jackfield-go/jackfield/transport-netrpc"
)

// adapt returns a host.Config.Runner of runners written for go-plugin. The function is the
// one for go-plugin's ClientConfig.RunnerFunc without its logger.
func adapt(makeTheirs func(cmd *exec.Cmd, socketDir string) (goplugin.Runner, error)) func(runner.Command) (runner.Runner, error) {
	return func(cmd runner.Command) (runner.Runner, error) {
		command := exec.Command(cmd.Path, cmd.Args...)
		command.Env, command.Dir, command.Stdin, command.SysProcAttr = cmd.Env, cmd.Dir, cmd.Stdin, cmd.SysProcAttr
		r, err := makeTheirs(command, cmd.SocketDir)
		if err != nil {
			return nil, err
		}
		return &adapted{Runner: r, path: cmd.Path, ended: make(chan struct{})}, nil
	}
}

// adapted waits once, for any number of callers: that may be all a runner can do.
type adapted struct {
	goplugin.Runner

	path  string
	ended chan struct{}
	exit  runner.Exit // once ended is closed
}

// Start starts the plugin, and waits for its end in a goroutine.
func (a *adapted) Start(ctx context.Context) error {
	if err := a.Runner.Start(ctx); err != nil {
		return &runner.StartError{Path: a.path, Reason: a.Diagnose(ctx), Err: err}
	}
	go func() {
		defer close(a.ended)
		if err := a.Runner.Wait(context.Background()); err != nil {
			a.exit.Code = runner.ExitUnknown // the error is all that they tell
		}
	}()
	return nil
}

// Wait returns how the plugin ended: in order, or with an unknown status.
func (a *adapted) Wait(ctx context.Context) (runner.Exit, error) {
	select {
	case <-a.ended:
		return a.exit, nil
	case <-ctx.Done():
		return runner.Exit{}, fmt.Errorf("wait for plugin %s: %w", a.Name(), context.Cause(ctx))
	}
}

// Kill ends the plugin and waits for its end. An error of a plugin that has ended is none.
func (a *adapted) Kill(ctx context.Context) error {
	killed := a.Runner.Kill(ctx)
	if _, err := a.Wait(ctx); err != nil {
		if killed != nil {
			return killed
		}
		return err
	}
	return nil
}

// theirRunner is a runner as written for go-plugin: it can wait once, and complains about a
// plugin that is not there.
type theirRunner struct {
	runner.Local

	cmd            *exec.Cmd
	stdout, stderr io.ReadCloser
	waited         bool
}

func (r *theirRunner) Start(context.Context) (err error) {
	stdout, stdoutWriter, err := os.Pipe()
	if err != nil {
		return err
	}
	stderr, stderrWriter, err := os.Pipe()
	if err != nil {
		return errors.Join(err, stdout.Close(), stdoutWriter.Close())
	}
	r.stdout, r.stderr, r.cmd.Stdout, r.cmd.Stderr = stdout, stderr, stdoutWriter, stderrWriter
	if err = r.cmd.Start(); err != nil {
		err = errors.Join(err, stdout.Close(), stderr.Close())
	}
	return errors.Join(err, stdoutWriter.Close(), stderrWriter.Close())
}

func (r *theirRunner) Wait(context.Context) error {
	if r.waited {
		return errors.New("wait was already called")
	}
	r.waited = true
	return r.cmd.Wait()
}

func (r *theirRunner) Kill(context.Context) error      { return r.cmd.Process.Kill() }
func (r *theirRunner) Stdout() io.ReadCloser           { return r.stdout }
func (r *theirRunner) Stderr() io.ReadCloser           { return r.stderr }
func (r *theirRunner) Name() string                    { return "adapted" }
func (r *theirRunner) ID() string                      { return strconv.Itoa(r.cmd.Process.Pid) }
func (r *theirRunner) Diagnose(context.Context) string { return "the runner has looked" }

func behindTheirRunner(cfg *host.Config) { cfg.Runner = adapt(adaptedRunner) }

func adaptedRunner(cmd *exec.Cmd, _ string) (goplugin.Runner, error) {
	return &theirRunner{cmd: cmd}, nil
}

func TestRunnerOfGoPluginRunsPlugins(t *testing.T) {
	eachPeer(t, func(t *testing.T, p peer) {
		u := p.launch(t, setting{change: behindTheirRunner})
		u.expectAlive(t)
		u.closeInOrder(t)
		if err := u.Kill(within(t)); err != nil {
			t.Errorf("Kill after an orderly end: %v", err)
		}
	})
}

func TestRunnerOfGoPluginReportsCrashesAndKills(t *testing.T) {
	eachPeer(t, func(t *testing.T, p peer) {
		u := p.launch(t, setting{change: behindTheirRunner})
		pid, err := strconv.Atoi(u.ID())
		if err != nil {
			t.Fatal(err)
		}
		process, err := os.FindProcess(pid)
		if err == nil {
			err = process.Kill()
		}
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-u.Done():
		case <-within(t).Done():
			t.Fatal("the host does not notice the plugin's death")
		}
		if exit := (*core.ExitError)(nil); !errors.As(u.Err(), &exit) {
			t.Errorf("got %v, want an ExitError", u.Err())
		}
	})
}

func TestRunnerOfGoPluginSaysWhyItCannotStart(t *testing.T) {
	_, err := host.Launch(t.Context(), host.Config{
		Handshake: core.Handshake{MagicCookieKey: "K", MagicCookieValue: "v"},
		Versions:  core.Versions{1: {netrpc.New()}},
		Command:   host.Command(t.TempDir() + "/missing"),
		Runner:    adapt(adaptedRunner),
	})
	if failed := (*runner.StartError)(nil); !errors.As(err, &failed) || failed.Reason != "the runner has looked" {
		t.Errorf("got %v, want a StartError with the runner's diagnosis", err)
	}
}
