package runner_test

import (
	"os"
	"syscall"
	"testing"

	"github.com/jackfield-go/jackfield/core/runner"
)

func TestExitString(t *testing.T) {
	accessViolation := uint32(0xC0000005)
	for _, test := range []struct {
		exit    runner.Exit
		want    string
		success bool
	}{
		{runner.Exit{}, "exit status 0", true},
		{runner.Exit{Code: 3}, "exit status 3", false},
		{runner.Exit{Code: int(accessViolation)}, "exit status 0xc0000005", false},
		{runner.Exit{Code: runner.ExitUnknown}, "exit status unknown", false},
		{runner.Exit{Code: runner.ExitUnknown, Signal: syscall.SIGKILL}, "killed by signal 9 (killed)", false},
		{
			runner.Exit{Code: runner.ExitUnknown, Signal: syscall.SIGSEGV, CoreDumped: true},
			"killed by signal 11 (segmentation fault), core dumped", false,
		},
		{runner.Exit{Signal: foreignSignal{}}, "killed by signal (evicted)", false},
	} {
		if got := test.exit.String(); got != test.want {
			t.Errorf("%#v: %q, want %q", test.exit, got, test.want)
		}
		if got := test.exit.Success(); got != test.success {
			t.Errorf("%#v: success %v", test.exit, got)
		}
	}
}

// foreignSignal is a signal that the runner of a container might report.
type foreignSignal struct{}

var _ os.Signal = foreignSignal{}

func (foreignSignal) Signal()        {}
func (foreignSignal) String() string { return "evicted" }
