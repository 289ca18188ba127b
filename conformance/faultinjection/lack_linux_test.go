package faultinjection

import (
	"errors"
	"syscall"
	"testing"

	"github.com/jackfield-go/jackfield/conformance/peers"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugintest"
)

// TestLaunchOfAHostInNeed launches plugins in a host that lacks something itself, and again once it
// has it.
func TestLaunchOfAHostInNeed(t *testing.T) {
	var files syscall.Rlimit
	for want, lack := range map[syscall.Errno]fault{
		syscall.ENOSPC: {name: "full directory", inject: fill, recover: empty, mounted: true},
		syscall.EROFS: {
			name: "read-only directory",
			inject: func(x *experiment) error {
				return syscall.Mount("", x.dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
			},
			recover: func(x *experiment) error { return syscall.Mount("", x.dir, "", syscall.MS_REMOUNT, "") },
			mounted: true,
		},
		syscall.EMFILE: {
			name: "no files left",
			inject: func(*experiment) error {
				if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
					return err
				}
				return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Max: files.Max})
			},
			recover: func(*experiment) error { return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &files) },
		},
	} {
		t.Run(lack.name, func(t *testing.T) {
			plugintest.NoLeaks(t)
			x := &experiment{t: t, combination: combinations()[0], fault: lack}
			x.prepare()
			if err := lack.inject(x); err != nil {
				t.Fatal(err)
			}
			_, err := host.Launch(within(t, patience), x.cfg)
			x.recover()
			var launch *host.LaunchError
			if !errors.As(err, &launch) || !errors.Is(err, want) {
				t.Errorf("the launch: %v, expected a host.LaunchError with %v", err, want)
			}
			peers.ExpectEmpty(t, x.dir)
			x.expectService(x.serve(within(t, 2*patience)).client)
		})
	}
}
