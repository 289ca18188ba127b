// Runtests runs the tests of several modules, one module after the other, and goes on after a failure
// so that one run tells everything:
//
//	runtests [-workspace] [-flag=-run=Name]... module-folder...
//
// Each module is tested alone (GOWORK=off), under the race detector where this machine can build with
// it. With -workspace each gets the versions of the workspace, and no race detector: code that has passed
// under it runs a second time with other versions of its requirements. What go test prints for a package is shown as it comes; what a test prints only if it fails.
//
// A test that needs something which is not on the machine skips itself with a reason that begins with
// "needs: ". Those skips are listed at the end, with the race detector where that is missing; where CI
// is true they are failures, since a green run there must have tested everything. A test that is by
// design for one platform or one kind of run begins its reason with "only ", and that is no failure.
// Any other reason counts as a need, until it says which of the two it is.
//
// The last line is "N passed, N failed, N skipped", counting top-level tests, and as failures also
// packages and modules that did not get as far as a test. The exit status is 1 if anything failed or
// nothing ran.
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

// run tests each module and reports on out. Its error says why the run as a whole did not pass.
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
			// What failed before go test knew of a package, such as its go.mod, counts as well.
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
		return errors.New("some needs were not met, and in CI everything is tested")
	}
	return nil
}

// testModule runs one module's tests and hands their events to the report.
func testModule(report *report, module string, flags []string, workspace bool) error {
	args := append([]string{"test", "-json"}, flags...)
	cmd := exec.Command("go", append(args, "./...")...)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if workspace {
		cmd.Env = append(cmd.Env, "GOWORK=") // the go command looks for go.work
	}
	cmd.Stderr = os.Stderr

	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	// A read error leaves go test writing to a closed pipe, so it ends, and Wait says how.
	readErr := report.read(stdout)
	return errors.Join(readErr, cmd.Wait())
}

// raceWorks builds a program under the race detector: whether that works depends on the platform, cgo
// and a C compiler, and building is the one check that cannot be wrong about it.
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
