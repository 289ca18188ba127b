package runner_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackfield-go/jackfield/core/runner"
)

func TestProcessGetsExactlyWhatTheCommandSays(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("RUNNER_TEST_INHERITED", "must not be seen")
	cmd := helper("report", "one", "two three")
	cmd.Dir = dir
	cmd.Env = append(cmd.Env, "KEY=first", "KEY=last")
	p := started(t, cmd)
	stdout, _ := readBoth(t, p)
	for _, want := range []string{"dir=" + dir + "\n", `args=["one" "two three"]`, "env KEY=last\n"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	for _, never := range []string{"RUNNER_TEST_INHERITED", "KEY=first"} {
		if strings.Contains(stdout, never) {
			t.Errorf("%q in\n%s", never, stdout)
		}
	}
}

func TestExitStatusReachesEveryWaiter(t *testing.T) {
	p := started(t, helper("exit", "3"))
	exits := make([]runner.Exit, 20)
	var group sync.WaitGroup
	for i := range exits {
		group.Go(func() { exits[i], _ = p.Wait(t.Context()) })
	}
	group.Wait()
	if want := (runner.Exit{Code: 3}); slices.ContainsFunc(exits, func(e runner.Exit) bool { return e != want }) {
		t.Errorf("got %v, want only %v", exits, want)
	}
	if got := exits[0].String(); got != "exit status 3" {
		t.Errorf("got %q", got)
	}
}

func TestStdinReaderIsCopied(t *testing.T) {
	cmd := helper("cat")
	text := strings.Repeat("a line of input\n", 20_000) // more than a pipe holds
	cmd.Stdin = strings.NewReader(text)
	p := started(t, cmd)
	if stdout, _ := readBoth(t, p); stdout != text {
		t.Errorf("got %d bytes, want %d", len(stdout), len(text))
	}
	if exit := waitExit(t, p); !exit.Success() {
		t.Error(exit)
	}
}

func TestStdinFileIsHandedOver(t *testing.T) {
	name := filepath.Join(t.TempDir(), "input")
	if err := os.WriteFile(name, []byte("from a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd := helper("cat")
	cmd.Stdin = file
	if stdout, _ := readBoth(t, started(t, cmd)); stdout != "from a file" {
		t.Errorf("got %q", stdout)
	}
}

func TestProcessWithoutStdinReadsNothing(t *testing.T) {
	if stdout, _ := readBoth(t, started(t, helper("cat"))); stdout != "" {
		t.Errorf("got %q", stdout)
	}
}

// An endless reader must not keep the process from being seen to end.
func TestEndOfProcessEndsCopyingOfStdin(t *testing.T) {
	before := census(t)
	r, w := io.Pipe()
	cmd := helper("exit", "0")
	cmd.Stdin = r
	p := started(t, cmd)
	waitExit(t, p)
	// The copier learns of the end from its first write after it.
	if _, err := w.Write([]byte("too late")); err != nil {
		t.Fatal(err)
	}
	readBoth(t, p)
	before.awaitSame(t)
}

func TestOneCommandServesManyStartsAtOnce(t *testing.T) {
	before := census(t)
	cmd := helper("flood", "1000")
	var group sync.WaitGroup
	for range 100 {
		group.Go(func() {
			p := runner.NewProcess(cmd)
			if err := p.Start(t.Context()); err != nil {
				t.Error(err)
				return
			}
			stdout, stderr := readBoth(t, p)
			if len(stdout) != 1000 || len(stderr) != 1000 {
				t.Errorf("read %d and %d bytes", len(stdout), len(stderr))
			}
			if exit, err := p.Wait(t.Context()); err != nil || !exit.Success() {
				t.Error(exit, err)
			}
		})
	}
	group.Wait()
	before.awaitSame(t)
}

func TestCommandIsCopied(t *testing.T) {
	cmd := helper("report", "before")
	p := runner.NewProcess(cmd)
	cmd.Args[0], cmd.Env[0] = "after", roleVariable+"=exit"
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if stdout, _ := readBoth(t, p); !strings.Contains(stdout, `args=["before"]`) {
		t.Errorf("got %q", stdout)
	}
	waitExit(t, p)
}

func TestRunningProcessCostsOneGoroutineAndTwoFiles(t *testing.T) {
	shared := started(t, helper("hang")) // with the goroutine that all processes share
	awaitReady(t, shared)
	before := census(t)
	p := started(t, helper("hang"))
	awaitReady(t, p)
	now := census(t).since(before)
	if got := len(now.goroutines); got != 1 {
		t.Errorf("%d goroutines\n%s", got, stacks())
	}
	// A process is up to two more files on Linux (pidfds). The standard library's keeps the
	// process's ID from being mistaken for a later process's, and the other one waits.
	if got := len(now.files); len(before.files) > 0 && (got < 2 || got > 4) {
		t.Errorf("%d files: %v", got, now.files)
	}
	if err := p.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.Stdout().Close()
	p.Stderr().Close()
	before.awaitSame(t)
}

func TestKill(t *testing.T) {
	p := started(t, helper("hang"))
	awaitReady(t, p)
	if err := p.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	exit := waitExit(t, p)
	if exit.Success() {
		t.Error(exit)
	}
	if err := p.Kill(t.Context()); err != nil {
		t.Errorf("killing again: %v", err)
	}
	// The process is gone: nothing is left to wait for, whatever the context.
	if err := p.Kill(canceled(t)); err != nil {
		t.Errorf("killing again without time: %v", err)
	}
}

func TestKillFromManyGoroutines(t *testing.T) {
	p := started(t, helper("hang"))
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if err := p.Kill(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	waitExit(t, p)
}

func TestContextEndsOnlyTheWait(t *testing.T) {
	p := started(t, helper("hang"))
	awaitReady(t, p)
	cause := errors.New("had enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	_, err := p.Wait(ctx)
	if !errors.Is(err, context.Canceled) || !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(err.Error(), p.ID()) {
		t.Errorf("%q does not name the process", err)
	}
	if err := p.Kill(t.Context()); err != nil {
		t.Errorf("the process did not outlive the wait: %v", err)
	}
	if _, err := p.Wait(ctx); err != nil {
		t.Errorf("an ended process is known without waiting, got %v", err)
	}
}

func TestEndedContextStartsNothing(t *testing.T) {
	before := census(t)
	p := runner.NewProcess(helper("hang"))
	err := p.Start(canceled(t))
	var failure *runner.StartError
	if !errors.As(err, &failure) || !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if p.ID() != "" || failure.Reason != "" {
		t.Errorf("pid %q, reason %q", p.ID(), failure.Reason)
	}
	before.awaitSame(t)
}

func TestEndOfStartContextLeavesTheProcessAlone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := runner.NewProcess(helper("cat"))
	if err := p.Start(ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	readBoth(t, p)
	if exit := waitExit(t, p); !exit.Success() {
		t.Error(exit)
	}
}

func TestStartIsForOnce(t *testing.T) {
	p := started(t, helper("exit", "0"))
	if err := p.Start(t.Context()); !errors.Is(err, runner.ErrAlreadyStarted) {
		t.Errorf("got %v", err)
	}
}

func TestFailedStartCanBeRepeated(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	before := census(t)
	path := filepath.Join(t.TempDir(), "plugin"+filepath.Ext(self))
	cmd := helper("exit", "4")
	cmd.Path = path
	p := runner.NewProcess(cmd)
	for range 3 {
		err := p.Start(t.Context())
		var failure *runner.StartError
		if !errors.As(err, &failure) || !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("got %v", err)
		}
		if failure.Path != path || p.Diagnose(t.Context()) != failure.Reason || failure.Reason == "" {
			t.Errorf("path %q, reason %q, diagnosis %q", failure.Path, failure.Reason, p.Diagnose(t.Context()))
		}
	}
	copyFile(t, self, path)
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if exit := waitExit(t, p); exit.Code != 4 {
		t.Error(exit)
	}
	readBoth(t, p)
	before.awaitSame(t)
}

func TestProcessBeforeStart(t *testing.T) {
	p := runner.NewProcess(runner.Command{Path: filepath.Join("somewhere", "greeter")})
	if p.Name() != "greeter" || p.ID() != "" || p.Diagnose(t.Context()) != "" {
		t.Errorf("name %q, ID %q, diagnosis %q", p.Name(), p.ID(), p.Diagnose(t.Context()))
	}
	if _, err := p.Wait(t.Context()); !errors.Is(err, runner.ErrNotStarted) {
		t.Errorf("Wait: %v", err)
	}
	if _, err := p.Stdout().Read(make([]byte, 1)); !errors.Is(err, runner.ErrNotStarted) {
		t.Errorf("Stdout: %v", err)
	}
	if _, err := p.Stderr().Read(make([]byte, 1)); !errors.Is(err, runner.ErrNotStarted) {
		t.Errorf("Stderr: %v", err)
	}
	if err := p.Kill(t.Context()); err != nil {
		t.Errorf("Kill: %v", err)
	}
}

func TestIDIsTheProcessID(t *testing.T) {
	p := started(t, helper("hang"))
	pid, err := strconv.Atoi(p.ID())
	if err != nil || pid <= 0 || pid == os.Getpid() {
		t.Errorf("ID %q", p.ID())
	}
}

func TestLocalTranslatesNothing(t *testing.T) {
	var local runner.Local
	for name, translate := range map[string]func(string, string) (string, string, error){
		"PluginToHost": local.PluginToHost,
		"HostToPlugin": local.HostToPlugin,
	} {
		if network, address, err := translate("unix", "/tmp/s"); network != "unix" || address != "/tmp/s" || err != nil {
			t.Errorf("%s: %s %s %v", name, network, address, err)
		}
	}
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o700); err != nil {
		t.Fatal(err)
	}
}
