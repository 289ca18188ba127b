//go:build unix

package host_test

import (
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugintest"
)

// A host that ignores SIGCHLD never gets a status, which an init that waits for all
// children takes away now and then.
func TestCloseWithAnUnknownStatusIsAnOrderlyOne(t *testing.T) {
	plugintest.NoLeaks(t)
	signal.Ignore(syscall.SIGCHLD)
	defer func() { // Reset would leave it ignored
		handled := make(chan os.Signal, 1)
		signal.Notify(handled, syscall.SIGCHLD)
		signal.Stop(handled)
	}()
	logged := newRecords()
	cfg := config(t, "serve", "")
	cfg.Logger = logged.logger()
	client, err := host.Launch(within(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if !hasStatus(logged.all(), "exit status unknown") {
		t.Error("the status was known: the test shows nothing")
	}
}
