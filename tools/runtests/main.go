// Runtests runs the tests of several modules, one module after the other, and continues
// after a failure so that one run reports everything:
//
//	runtests [-workspace] [-flag=-run=Name]... module-folder...
//
// Each module is tested alone (GOWORK=off), under the race detector if this machine can
// build with it. With -workspace each module gets the workspace's versions, without the
// race detector: that pass repeats tested code with other versions of its requirements. go
// test's output for a package appears at once; a test's output appears only if the test
// fails.
//
// A test skips itself if this machine lacks a requirement, with a reason that begins with
// "needs: ". The summary lists those skips, and a missing race detector. They are failures
// if CI is true, since a green run in CI must have tested everything. A test for one
// platform or one kind of run begins its reason with "only "; such a skip is no failure.
// Any other reason counts as a need, until it begins with one of the two.
//
// The last line is "N passed, N failed, N skipped", and counts top-level tests. Packages
// and modules that fail before any test count as failures too. The exit status is 1 if
// anything failed or nothing ran.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

func main() {
	var flags []string
	flag.Func("flag", "a `flag` for go test; may be repeated", func(s string) error {
		flags = append(flags, s)
		return nil
	})
	workspace := flag.Bool("workspace", false, "test with the versions of go.work, without the race detector")
	flag.Parse()

	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	ci, _ := strconv.ParseBool(os.Getenv("CI"))
	if err := run(os.Stdout, flag.Args(), flags, *workspace, ci); err != nil {
		fmt.Fprintln(os.Stderr, "runtests:", err)
		os.Exit(1)
	}
}

// run tests each module and reports on out. Its error is the reason for an overall failure.
func run(out io.Writer, modules, flags []string, workspace, ci bool) error {
	report := &report{out: out}
	if workspace {
		fmt.Fprintln(out, "=== at the newest versions, by go.work")
	} else if err := raceWorks(); err != nil {
		report.needs = append(report.needs, "race detector: "+err.Error())
	} else {
		flags = append([]string{"-race"}, flags...)
	}

	var failed []string
	for _, module := range modules {
		fmt.Fprintf(out, "=== %s\n", module)
		before := report.failed
		if err := testModule(report, module, flags, workspace); err != nil {
			fmt.Fprintf(out, "=== %s: %v\n", module, err)
			failed = append(failed, module)
			// Failures before go test knows a package count as well, such as an invalid
			// go.mod.
			report.failed = max(report.failed, before+1)
		}
	}
	report.summary(ci)

	switch {
	case len(failed) > 0:
		return fmt.Errorf("failed in %s", strings.Join(failed, ", "))
	case report.passed == 0:
		return errors.New("no test ran")
	case ci && len(report.needs) > 0:
		return errors.New("this machine lacks requirements of some tests, and CI must run every test")
	}
	return nil
}

// testModule runs one module's tests and passes their events to the report.
func testModule(report *report, module string, flags []string, workspace bool) error {
	args := append([]string{"test", "-json"}, flags...)
	cmd := exec.Command("go", append(args, "./...")...)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if workspace {
		cmd.Env = append(cmd.Env, "GOWORK=") // the go command finds go.work
	}
	cmd.Stderr = os.Stderr

	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	// After a read error, go test writes to a closed pipe and ends; Wait returns its
	// status.
	readErr := report.read(stdout)
	return errors.Join(readErr, cmd.Wait())
}

// raceWorks builds a program under the race detector. Success depends on the platform, cgo
// and a C compiler, and only a build tests all of them.
func raceWorks() error {
	dir, err := os.MkdirTemp("", "runtests-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-race", "-o", filepath.Join(dir, "probe.exe"), source)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(output)))
	}
	return nil
}
