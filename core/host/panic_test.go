package host_test

import (
	"context"
	"os"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/plugintest"
	"github.com/jackfield-go/jackfield/core/runner"
	"github.com/jackfield-go/jackfield/core/verify"
)

// panicking is a transport whose Dial panics.
type panicking struct{ *faketransport.Transport }

func (panicking) Dial(context.Context, core.HostLink) (core.Session, error) { panic("Dial") }

// Whoever recovers finds nothing of the launch.
func TestLaunchLeavesNothingAfterAPanic(t *testing.T) {
	for name, change := range map[string]func(*host.Config){
		"the verifier": func(c *host.Config) {
			c.Verify.Verifier = verify.Func(func(context.Context, *verify.Program) error { panic("verifier") })
		},
		"the runner": func(c *host.Config) {
			c.Runner = func(runner.Command) (runner.Runner, error) { panic("runner") }
		},
		"the transport": func(c *host.Config) {
			c.Versions = core.Versions{1: {panicking{new(faketransport.Transport)}}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			plugintest.NoLeaks(t)
			base := shortDir(t)
			cfg := config(t, "serve", "")
			cfg.Sockets.Dirs = []string{base}
			change(&cfg)
			func() {
				defer func() {
					if recover() == nil {
						t.Error("the panic was swallowed")
					}
				}()
				_, _ = host.Launch(within(t), cfg)
			}()
			left, err := os.ReadDir(base)
			if err != nil {
				t.Fatal(err)
			}
			if len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}
