package host_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/runner"
)

func TestLaunchOfAPluginThatExitsAtOnceTellsStatusAndLastWords(t *testing.T) {
	failure := fail(t, within(t), config(t, "exit", "3"))
	var exit *core.ExitError
	if !errors.As(failure, &exit) {
		t.Fatalf("no ExitError in %v", failure)
	}
	if exit.Code != 3 || exit.Plugin != "tester" || failure.Stage != host.StageHandshake {
		t.Errorf("exit %+v in stage %s", exit, failure.Stage)
	}
	mention(t, failure, "tester", "handshake", "exit status 3", `cannot read "config.toml"`)
}

func TestLaunchOfAPluginThatPanicsTellsThePanicAndLogsItOnce(t *testing.T) {
	logged := newRecords()
	cfg := config(t, "panic", "/etc")
	cfg.Logger = logged.logger()
	failure := fail(t, within(t), cfg)
	var exit *core.ExitError
	if !errors.As(failure, &exit) || exit.Code != 2 {
		t.Fatalf("exit %+v", exit)
	}
	const head = "panic: no configuration in /etc"
	if exit.DeathLine() != head {
		t.Errorf("death line %q", exit.DeathLine())
	}
	mention(t, failure, head)
	errs := logged.from(slog.LevelWarn)
	if len(errs) != 1 || errs[0].message != head || !strings.Contains(errs[0].attrs["stack"], "goroutine 1") {
		t.Errorf("logged %+v", errs)
	}
}

func TestLaunchOfAPluginKilledBySignalNamesIt(t *testing.T) {
	failure := fail(t, within(t), config(t, "dies", ""))
	mention(t, failure, "signal 9")
}

func TestLaunchRefusesWhatCannotBeAnnounced(t *testing.T) {
	tests := map[string]struct {
		line     string
		stage    host.Stage
		as       any
		mentions []string
	}{
		"core version 2":   {"2|1|unix|/x|fake|\n", host.StageHandshake, new(*handshake.CoreVersionError), []string{"rebuild the plugin"}},
		"too few fields":   {"1|1|unix\n", host.StageHandshake, new(*handshake.ParseError), []string{"1|1|unix"}},
		"unknown network":  {"1|1|pigeon|/x|fake|\n", host.StageHandshake, new(*handshake.ParseError), []string{"pigeon", "unix"}},
		"empty protocol":   {"1|1|unix|/x||\n", host.StageHandshake, new(*handshake.ParseError), []string{"protocol"}},
		"unknown protocol": {"1|1|unix|/x|grpc|\n", host.StageNegotiate, new(*core.ProtocolError), []string{`"grpc"`, `"fake"`}},
		"no protocol":      {"1|1|unix|/x\n", host.StageNegotiate, new(*core.ProtocolError), []string{`"netrpc"`, `"fake"`}},
		"other version":    {"1|7|unix|/x|fake|\n", host.StageNegotiate, new(*core.VersionError), []string{"host speaks 1", "answered 7", "newer"}},
		"nobody there":     {"1|1|unix|/nowhere/s|fake|\n", host.StageConnect, nil, []string{"/nowhere/s"}},
		"CRLF, four fields, other version": {
			"1|7|tcp|127.0.0.1:1\r\n", host.StageNegotiate, new(*core.VersionError), []string{"answered 7"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			failure := fail(t, within(t), config(t, "printed", test.line))
			if failure.Stage != test.stage {
				t.Errorf("stage %s", failure.Stage)
			}
			if test.as != nil && !errors.As(failure, test.as) {
				t.Errorf("no %T in %v", test.as, failure)
			}
			if want := strings.TrimSuffix(test.line, "\n"); failure.Line != want {
				t.Errorf("the line is %q, want %q", failure.Line, want)
			}
			if failure.Exit != nil {
				t.Errorf("it was running, and yet: %v", failure.Exit)
			}
			mention(t, failure, append(test.mentions, "tester")...)
		})
	}
}

func TestLaunchTellsBothSidesVersions(t *testing.T) {
	cfg := config(t, "versions", "2,3")
	cfg.Versions = faketransport.Versions(new(faketransport.Transport), 4, 5)
	failure := fail(t, within(t), cfg)
	var mismatch *core.VersionError
	if !errors.As(failure, &mismatch) {
		t.Fatalf("no VersionError in %v", failure)
	}
	if !slices.Equal(mismatch.Host, []int{4, 5}) || !slices.Equal(mismatch.Plugin, []int{2, 3}) || !mismatch.Complete {
		t.Errorf("got %+v", mismatch)
	}
	mention(t, failure, "host speaks 4, 5", "plugin speaks 2, 3", "older")
}

func TestLaunchSkipsAndLogsNoise(t *testing.T) {
	logged := newRecords()
	cfg := config(t, "printed", "loading…\n\n1|1|unix\n")
	cfg.Logger = logged.logger()
	failure := fail(t, within(t), cfg)
	if failure.Line != "1|1|unix" {
		t.Errorf("line %q", failure.Line)
	}
	noise := logged.await(t, "the plugin printed something before its handshake line")
	if noise.level != slog.LevelDebug || noise.attrs["text"] != "loading…" {
		t.Errorf("logged %+v", noise)
	}
}

func TestLaunchFindsTheLineBehindNoiseWithoutNewline(t *testing.T) {
	logged := newRecords()
	cfg := config(t, "printed", "loading...1|7|unix|/x|fake|\n")
	cfg.Logger = logged.logger()
	failure := fail(t, within(t), cfg)
	mention(t, failure, "answered 7")
	glued := logged.await(t, "the plugin printed something in front of its handshake line")
	if glued.level != slog.LevelDebug || glued.attrs["text"] != "loading..." {
		t.Errorf("logged %+v", glued)
	}
}

func TestLaunchOfAPluginThatPrintsOnlyNoise(t *testing.T) {
	for name, line := range map[string]string{"in lines": "all work and no play\n", "in one line": "no play "} {
		t.Run(name, func(t *testing.T) {
			failure := fail(t, within(t), config(t, "chatter", line))
			var noise *host.NoiseError
			if !errors.As(failure, &noise) || noise.Limit != host.DefaultMaxNoise {
				t.Fatalf("got %v", failure)
			}
			if len(failure.Line) == 0 || len(failure.Error()) > 1000 {
				t.Errorf("line of %d bytes, text of %d", len(failure.Line), len(failure.Error()))
			}
			mention(t, failure, "is it a plugin of this application?", "MaxNoise")
		})
	}
}

func TestLaunchWithNoNoiseAllowed(t *testing.T) {
	cfg := config(t, "printed", "one line\n")
	cfg.Outputs.MaxNoise = -1
	var noise *host.NoiseError
	if failure := fail(t, within(t), cfg); !errors.As(failure, &noise) {
		t.Errorf("got %v", failure)
	}
}

func TestLaunchOfWhatPrintsALineAndLeaves(t *testing.T) {
	failure := fail(t, within(t), config(t, "print", "hello, world"))
	var exit *core.ExitError
	if !errors.As(failure, &exit) || exit.Code != 0 {
		t.Fatalf("got %v", failure)
	}
	mention(t, failure, "hello, world", "exit status 0", "without a handshake line")
}

func TestLaunchOfAPluginThatClosesStdoutAndLivesOn(t *testing.T) {
	cfg := config(t, "closed", "")
	cfg.Timeouts.ExitGrace = time.Millisecond
	failure := fail(t, within(t), cfg)
	if failure.Exit != nil {
		t.Errorf("it did not exit: %v", failure.Exit)
	}
	mention(t, failure, "without a handshake line")
}

func TestStartTimeoutSaysWhereAHandshakeLineWent(t *testing.T) {
	const line = "1|1|unix|/run/p/s|fake|"
	for name, test := range map[string]struct{ role, text, want string }{
		"without its newline":          {"printed", line, "without the newline that ends it"},
		"without it, after noise":      {"printed", "hello\n" + line, "without the newline that ends it"},
		"without it, behind noise":     {"printed", "hello " + line, "without the newline that ends it"},
		"on stderr":                    {"misprint", line + "\n", "on its stderr: write it on stdout"},
		"on stderr, in front of a log": {"misprint", line + "\nready\n", "on its stderr: write it on stdout"},
		"unfinished noise":             {"printed", "loading...", "last line on its stdout: \"loading...\""},
	} {
		t.Run(name, func(t *testing.T) {
			// A busy machine may take longer to run the program at all.
			var failure *host.LaunchError
			for limit := 300 * time.Millisecond; limit < patience; limit *= 2 {
				cfg := config(t, test.role, test.text)
				cfg.Timeouts.Start = limit
				if failure = fail(t, within(t), cfg); failure.Line != "" || len(failure.Stderr) > 0 {
					break
				}
			}
			mention(t, failure, test.want)
		})
	}
}

func TestLaunchErrorShowsNoCertificateOfTheHandshakeLine(t *testing.T) {
	certificate := strings.Repeat("MIIB", 100)
	for name, line := range map[string]string{
		"the line":     "1|1|unix|/run/p/s|grpc|" + certificate + "|true",
		"behind noise": "loading...1|1|unix|/run/p/s|grpc|" + certificate + "|true",
	} {
		t.Run(name, func(t *testing.T) {
			failure := fail(t, within(t), config(t, "printed", line+"\n"))
			if strings.Contains(failure.Error(), "MIIB") || failure.Line != line {
				t.Errorf("line %q in\n%v", failure.Line, failure)
			}
			mention(t, failure, "1|1|unix|/run/p/s|grpc|(400 bytes)|true")
		})
	}
}

func TestLaunchEndsWithTheStartTimeout(t *testing.T) {
	for _, role := range []string{"hang", "noanswer"} {
		t.Run(role, func(t *testing.T) {
			cfg := config(t, role, "")
			cfg.Timeouts.Start = 300 * time.Millisecond
			failure := fail(t, within(t), cfg)
			var timeout *host.TimeoutError
			if !errors.As(failure, &timeout) || !errors.Is(failure, context.DeadlineExceeded) {
				t.Fatalf("got %v", failure)
			}
			mention(t, failure, "300ms", "Config.Timeouts.Start")
		})
	}
}

func TestLaunchEndsWithItsContext(t *testing.T) {
	reason := errors.New("the user lost patience")
	for _, role := range []string{"hang", "noanswer"} {
		t.Run(role, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			cfg := config(t, role, "")
			run := watched(&cfg)
			go func() { // F8: a launch that waits can be given up
				<-run.started
				cancel(reason)
			}()
			failure := fail(t, ctx, cfg)
			if !errors.Is(failure, context.Canceled) || !errors.Is(failure, reason) {
				t.Errorf("got %v", failure)
			}
		})
	}
}

func TestLaunchWithAnEndedContextStartsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	failure := fail(t, ctx, config(t, "hang", ""))
	if !errors.Is(failure, context.Canceled) || failure.Stage != host.StageStart {
		t.Errorf("got %v", failure)
	}
}

func TestLaunchTellsWhenTheHandshakeIsAnotherApplications(t *testing.T) {
	cfg := config(t, "serve", "")
	cfg.Handshake.MagicCookieValue = "biscuits"
	failure := fail(t, within(t), cfg)
	mention(t, failure, "exit status 1", "is Config.Handshake the plugin's?", "is not meant to be run by hand")
}

func TestLaunchRefusesAConfigurationThatCannotWork(t *testing.T) {
	good := config(t, "serve", "")
	tests := map[string]struct {
		change func(*host.Config)
		says   string
	}{
		"no cookie":                   {func(c *host.Config) { c.Handshake = core.Handshake{} }, "MagicCookieKey"},
		"no versions":                 {func(c *host.Config) { c.Versions = nil }, "Versions is empty"},
		"nil transport":               {func(c *host.Config) { c.Versions = core.Versions{1: {nil}} }, "nil transport"},
		"no command":                  {func(c *host.Config) { c.Name, c.Command.Path = "", "" }, "nothing to launch"},
		"negative line limit":         {func(c *host.Config) { c.Outputs.MaxLogLine = -1 }, "Config.Outputs.MaxLogLine"},
		"negative kill timeout":       {func(c *host.Config) { c.Timeouts.Kill = -1 }, "Config.Timeouts.Kill"},
		"negative connection timeout": {func(c *host.Config) { c.Timeouts.Connection = -1 }, "Config.Timeouts.Connection"},
		"no port":                     {func(c *host.Config) { c.Sockets.MinPort = 5 }, "Config.Sockets.MinPort 5"},
		"variable of the protocol": {
			func(c *host.Config) { c.Command.Env = []string{"A=b", handshake.EnvMinPort + "=5"} },
			"Config.Command.Env sets " + handshake.EnvMinPort,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := good
			test.change(&cfg)
			failure := fail(t, within(t), cfg)
			if failure.Stage != host.StageConfigure {
				t.Errorf("stage %s", failure.Stage)
			}
			mention(t, failure, test.says)
		})
	}
}

func TestLaunchTellsThatSocketPathsAreTooLong(t *testing.T) {
	cfg := config(t, "serve", "")
	cfg.Sockets.Dirs = []string{"/" + strings.Repeat("very-", 20) + "long"}
	failure := fail(t, within(t), cfg)
	var path *core.SocketPathError
	if !errors.As(failure, &path) {
		t.Fatalf("got %v", failure)
	}
	mention(t, failure, "choose a shorter directory", "bytes")
}

func TestDispenseOfAnUnknownNameTellsTheNamesThatExist(t *testing.T) {
	client := launch(t, config(t, "serve", ""))
	_, err := client.Dispense(within(t), "nonsense")
	var unknown *core.UnknownPluginError
	if !errors.As(err, &unknown) || !slices.Contains(unknown.Known, "echo") {
		t.Fatalf("got %v", err)
	}
	mention(t, err, "tester", `"nonsense"`, `"echo"`)
}

func TestDispenseAsAnotherTypeTellsBoth(t *testing.T) {
	client := launch(t, config(t, "serve", ""))
	_, err := host.Dispense(within(t), client, core.Define[error]("echo"))
	var wrong *core.TypeError
	if !errors.As(err, &wrong) {
		t.Fatalf("got %v", err)
	}
	mention(t, err, "echo", "*faketransport.Client", "error")
}

func TestLaunchAgainWithTheSameConfigAfterAFailure(t *testing.T) { // F5
	cfg := config(t, "serve", "")
	first := true
	cfg = withRunner(cfg, func(cmd runner.Command) runner.Runner {
		if first {
			first = false
			cmd.Env = append(cmd.Env, roleVariable+"=exit", argumentVariable+"=4")
		}
		return runner.NewProcess(cmd)
	})
	_, err := host.Launch(within(t), cfg)
	var exit *core.ExitError
	if !errors.As(err, &exit) || exit.Code != 4 {
		t.Fatalf("the first launch: %v", err)
	}
	if answer := call(t, launch(t, cfg), "echo", "again"); answer != "again" {
		t.Errorf("answer %q", answer)
	}
}
