package host_test

import (
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
)

var update = flag.Bool("update", false, "write the golden files")

func TestLaunchErrorTexts(t *testing.T) {
	tests := map[string]func() host.Config{
		"exit":     func() host.Config { return config(t, "exit", "3") },
		"cookie":   func() host.Config { c := config(t, "serve", ""); c.Handshake.MagicCookieValue = "other"; return c },
		"protocol": func() host.Config { return config(t, "printed", "starting\n1|1|unix|/run/p/s|grpc|\n") },
		"timeout": func() host.Config {
			c := config(t, "printed", "wait\n")
			c.Timeouts.Start = time.Second
			return c
		},
		"missing": func() host.Config {
			c := config(t, "serve", "")
			c.Command.Path = "/no/such/greeter"
			return c
		},
		"leaves":  func() host.Config { return config(t, "exit", "0") },
		"nothing": func() host.Config { return host.Config{AutoMTLS: 7} },
		"versions": func() host.Config {
			c := config(t, "versions", "2,3")
			c.Versions = faketransport.Versions(new(faketransport.Transport), 4)
			return c
		},
		"require": func() host.Config {
			c := config(t, "about", "1.2.0")
			c.Require = ">= 1.4, < 2"
			return c
		},
		"require-unknown": func() host.Config {
			c := config(t, "about", "")
			c.Require = ">= 1.4, < 2"
			return c
		},
		"require-host": func() host.Config {
			c := config(t, "about", "1.2.0 >= 3")
			c.HostVersion = "2.1.0"
			return c
		},
		"require-host-unknown": func() host.Config { return config(t, "about", "1.2.0 >= 3") },
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, configure := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := configure()
			dirs := shortDir(t)
			cfg.Sockets.Dirs = []string{dirs}
			_, err := host.Launch(within(t), cfg)
			if err == nil {
				t.Fatal("launched")
			}
			got := strings.NewReplacer(self, "/opt/greeter", runtime.Version(), "GO").Replace(err.Error()) + "\n"
			if at := strings.Index(got, dirs); at >= 0 {
				end := at + strings.IndexByte(got[at:], '|')
				got = got[:at] + "SOCKET" + got[end:]
			}
			if hint := core.Hint(err); hint != "" {
				got += "--- for developers:\n" + hint + "\n"
			}
			file := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}
