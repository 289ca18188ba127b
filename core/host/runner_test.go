package host_test

import (
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/runner"
)

// elsewhere is a plugin that sees the sockets under another directory than the
// host, as one in a container does. It announces addresses of its own view.
type elsewhere struct {
	runner.Runner

	inside, outside string
}

func (e *elsewhere) PluginToHost(network, address string) (string, string, error) {
	rest, ok := strings.CutPrefix(address, e.inside)
	if !ok {
		return "", "", errors.New("not an address of the plugin's: " + address)
	}
	return network, e.outside + rest, nil
}

// Stdout shows addresses as the plugin sees them.
func (e *elsewhere) Stdout() io.ReadCloser {
	return struct {
		io.Reader
		io.Closer
	}{&rewriter{from: e.Runner.Stdout(), old: e.outside, new: e.inside}, e.Runner.Stdout()}
}

// rewriter replaces one string in what is read in one piece.
type rewriter struct {
	from     io.Reader
	old, new string
	rest     string
}

func (r *rewriter) Read(p []byte) (int, error) {
	if r.rest == "" {
		n, err := r.from.Read(p)
		if err != nil {
			return 0, err
		}
		r.rest = strings.ReplaceAll(string(p[:n]), r.old, r.new)
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func TestRunnerTranslatesAddresses(t *testing.T) {
	cfg := withRunner(config(t, "serve", ""), func(cmd runner.Command) runner.Runner {
		return &elsewhere{Runner: runner.NewProcess(cmd), inside: "/run/inside", outside: cmd.SocketDir}
	})
	if got := call(t, launch(t, cfg), "echo", "hello"); got != "hello" {
		t.Errorf("got %q", got)
	}
}

func TestRunnerThatCannotTranslateFailsTheLaunch(t *testing.T) {
	cfg := withRunner(config(t, "serve", ""), func(cmd runner.Command) runner.Runner {
		return &elsewhere{Runner: runner.NewProcess(cmd), inside: "/run/inside", outside: "/nowhere"}
	})
	failure := fail(t, within(t), cfg)
	if failure.Stage != host.StageConnect {
		t.Errorf("stage %s", failure.Stage)
	}
	mention(t, failure, "translate", "not an address of the plugin's")
}

func TestRunnerThatCannotBeMadeFailsTheLaunch(t *testing.T) {
	broken := errors.New("no containers today")
	cfg := config(t, "serve", "")
	cfg.Runner = func(runner.Command) (runner.Runner, error) { return nil, broken }
	failure := fail(t, within(t), cfg)
	if !errors.Is(failure, broken) {
		t.Errorf("got %v", failure)
	}
}

func TestRunnerGetsTheSocketDirectory(t *testing.T) {
	var seen string
	cfg := withRunner(config(t, "serve", ""), func(cmd runner.Command) runner.Runner {
		seen = cmd.SocketDir
		return runner.NewProcess(cmd)
	})
	client := launch(t, cfg)
	if got := call(t, client, "getenv", handshake.EnvSocketDir); seen == "" || got != seen+" true" || !filepath.IsAbs(seen) {
		t.Errorf("the plugin got %q, the runner %q", got, seen)
	}
}
