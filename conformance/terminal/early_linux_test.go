package terminal

import (
	"context"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

func init() {
	scenes["early"] = func(ctx context.Context, o *operator) {
		answers := make(chan string, 1)
		go func() {
			answer, err := o.greet(ctx, "line")
			answers <- answer + ", " + oneLine(err)
		}()
		pid, err := strconv.Atoi(o.client.ID())
		if err == nil {
			err = unix.Waitid(unix.P_PID, pid, nil, unix.WSTOPPED|unix.WNOWAIT, nil)
		}
		reportf("early: stopped, %s", oneLine(err))
		err = o.client.WithTerminal(ctx, func(context.Context) error {
			reportf("early: %s", <-answers)
			return nil
		})
		reportf("early: %s", oneLine(err))
	}
}

// The system stops a plugin that reads from the terminal without having it.
func TestPluginThatReadTooEarlyIsContinued(t *testing.T) {
	manners(t, func(t *testing.T, transport, manner string) {
		s := sit(t, transport, manner, "early")
		s.hears("early: stopped, <nil>")
		s.types("hello\r")
		s.hears("early: hello, <nil>")
		s.hears("early: <nil>")
		s.leaves()
	}, ownGroup)
}
