package runner_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core/runner"
)

// The test binary is its own plugin: with this variable set it behaves as the
// named part instead of running tests.
const roleVariable = "RUNNER_TEST_ROLE"

// hang is long enough for a helper whose end is up to its test.
const hang = time.Minute

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(run(m))
	}
	act, ok := roles[role]
	if !ok {
		fmt.Fprintf(os.Stderr, "no role %q\n", role)
		os.Exit(99)
	}
	os.Exit(act(os.Args[1:]))
}

// coverDir gets the coverage data of helpers in a run with coverage; without it they
// would complain on stderr.
var coverDir string

func run(m *testing.M) int {
	if testing.CoverMode() == "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "runner-cover-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	coverDir = dir
	return m.Run()
}

var roles = map[string]func(args []string) int{
	"exit":       exitWith,
	"flood":      flood,
	"hang":       hangAround,
	"cat":        cat,
	"report":     report,
	"grandchild": leaveGrandchild,
	"chatty":     leaveChatterbox,
	"chatterbox": chatter,
	"closed":     closeOutput,
	"hello":      sayHello,
	"myself":     tellMyself,
}

func exitWith(args []string) int {
	code, _ := strconv.Atoi(args[0])
	return code
}

// flood writes as many bytes as asked to stdout, and as many to stderr, and
// exits at once.
func flood(args []string) int {
	n, _ := strconv.Atoi(args[0])
	for _, f := range []*os.File{os.Stdout, os.Stderr} {
		w := bufio.NewWriterSize(f, 32<<10)
		_, _ = w.Write(bytes.Repeat([]byte{'x'}, n))
		_ = w.Flush()
	}
	return 0
}

func hangAround([]string) int {
	fmt.Println("ready")
	time.Sleep(hang)
	return 0
}

func cat([]string) int {
	if _, err := io.Copy(os.Stdout, os.Stdin); err != nil {
		return 1
	}
	return 0
}

// report prints the arguments and the environment of the process.
func report(args []string) int {
	dir, _ := os.Getwd()
	fmt.Printf("dir=%s\nargs=%q\n", dir, args)
	for _, entry := range os.Environ() {
		fmt.Println("env", entry)
	}
	return 0
}

// leaveGrandchild exits while its own child holds both outputs.
func leaveGrandchild([]string) int { return leave("hang") }

func leaveChatterbox([]string) int { return leave("chatterbox") }

func leave(role string) int {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Fprintf(os.Stderr, "pid %d\nlast words\n", cmd.Process.Pid)
	return 7
}

// chatter writes as fast as it can, until nobody reads any more.
func chatter([]string) int {
	line := bytes.Repeat([]byte("chatter "), 512)
	for {
		if _, err := os.Stderr.Write(line); err != nil {
			return 0
		}
	}
}

func closeOutput([]string) int {
	os.Stdout.Close()
	os.Stderr.Close()
	time.Sleep(hang)
	return 0
}

// helper describes the test binary in a role.
func helper(role string, args ...string) runner.Command {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	env := []string{roleVariable + "=" + role}
	if coverDir != "" {
		env = append(env, "GOCOVERDIR="+coverDir)
	}
	return runner.Command{Path: self, Args: args, Env: env}
}

// started starts a command and ends it with the test.
func started(t *testing.T, cmd runner.Command) *runner.Process {
	t.Helper()
	p := runner.NewProcess(cmd)
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Kill(context.Background()) // the test's own context has ended
		_ = p.Stdout().Close()
		_ = p.Stderr().Close()
	})
	return p
}

// readBoth reads both outputs to their end.
func readBoth(t *testing.T, p *runner.Process) (stdout, stderr string) {
	t.Helper()
	type result struct {
		data []byte
		err  error
	}
	fromStderr := make(chan result, 1)
	go func() {
		data, err := io.ReadAll(p.Stderr())
		fromStderr <- result{data, err}
	}()
	data, err := io.ReadAll(p.Stdout())
	if err != nil {
		t.Errorf("reading stdout: %v", err)
	}
	other := <-fromStderr
	if other.err != nil {
		t.Errorf("reading stderr: %v", other.err)
	}
	return string(data), string(other.data)
}

// waitExit waits for the end of a process.
func waitExit(t *testing.T, p *runner.Process) runner.Exit {
	t.Helper()
	exit, err := p.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return exit
}

// awaitReady reads the line of a hanging helper.
func awaitReady(t *testing.T, p *runner.Process) {
	t.Helper()
	line, err := bufio.NewReader(p.Stdout()).ReadString('\n')
	if err != nil || line != "ready\n" {
		t.Fatalf("helper said %q, %v", line, err)
	}
}
