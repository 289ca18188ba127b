//go:build unix

package transportgrpc_test

import (
	"strconv"
	"syscall"
	"testing"
)

// terminate ends the plugin as somebody else would.
func terminate(t *testing.T, p *process) {
	t.Helper()
	pid, err := strconv.Atoi(p.ID())
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	receive(t, "the plugin's end", p.Done())
}

func TestOutputArrivesWhenThePluginIsTerminated(t *testing.T) {
	inEach(t, schemes, func(t *testing.T, m mode) {
		for i := range 20 {
			printAndEnd(t, m, 5*i, terminate)
		}
	})
}

// F10.
func TestTerminationLeavesNoSocketFile(t *testing.T) {
	inEach(t, schemes, func(t *testing.T, m mode) { leavesNoSocket(t, m, terminate) })
}
