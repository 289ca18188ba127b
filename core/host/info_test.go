package host_test

import (
	"bytes"
	"errors"
	"log/slog"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
)

func TestInfoTellsWhichPluginRuns(t *testing.T) {
	for mtls, secured := range map[host.MTLS]bool{host.MTLSOff: false, host.MTLSRequired: true} {
		cfg := config(t, "about", "v1.4.2 >= 2")
		cfg.AutoMTLS, cfg.HostVersion, cfg.Require = mtls, "2.0.0", "~> 1.4"
		client := launch(t, cfg)
		got := client.Info()
		if (got.Network != "unix" && got.Network != "tcp") || got.Address == "" {
			t.Errorf("reached at %q %q", got.Network, got.Address)
		}
		want := host.Info{
			Name: "tester", Path: cfg.Command.Path, Version: "1.4.2", Build: "a|b", Library: "jackfield",
			Language: runtime.Version(), RequiresHost: ">= 2", Protocol: faketransport.Protocol, AppVersion: 1,
			Network: got.Network, Address: got.Address, MutualTLS: secured,
		}
		want.PID, _ = strconv.Atoi(client.ID())
		if got != want || want.PID == 0 {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
}

func TestLaunchRecordHasTheReleaseAndTheRequirements(t *testing.T) {
	logged := newRecords()
	cfg := config(t, "about", "1.4.2 >= 2")
	cfg.Logger, cfg.HostVersion, cfg.Require = logged.logger(), "2.0.0", "~> 1.4"
	launch(t, cfg)
	got := logged.await(t, "the plugin was launched")
	for key, want := range map[string]string{
		"version": "1.4.2", "build": "a|b", "library": "jackfield", "language": runtime.Version(), "requires_host": ">= 2", "require": "~> 1.4",
	} {
		if got.attrs[key] != want {
			t.Errorf("%s is %q, want %q", key, got.attrs[key], want)
		}
	}
}

func TestInfoIsZeroWhereAPluginSaysNothing(t *testing.T) {
	got := launch(t, config(t, "silent", "")).Info()
	if got.Version+got.Build+got.Library+got.Language+got.RequiresHost != "" || got.AppVersion != 1 || got.PID == 0 {
		t.Errorf("got %+v", got)
	}
}

func TestInfoTakesOnlySemanticVersions(t *testing.T) {
	got := launch(t, config(t, "saying", "version=new|build=%1b[2J|library="+strings.Repeat("x", 600))).Info()
	if got.Version != "" || got.Build != "\uFFFD[2J" || len(got.Library) > 512 {
		t.Errorf("got %+v", got)
	}
}

func TestInfoLogsTheKnownFields(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	logger.Info("runs", "plugin", host.Info{Name: "loud", Version: "1.4.2", AppVersion: 3})
	const want = `msg=runs plugin.name=loud plugin.version=1.4.2 plugin.app_version=3 plugin.mutual_tls=false`
	if got := log.String(); !strings.Contains(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestLaunchTakesAPluginOfARequiredVersion(t *testing.T) {
	for _, c := range []struct{ required, version string }{
		{">= 1.4, < 2", "1.4.0"}, {"~> 1.4", "v1.9.0+linux"}, {">= 1.4.0-beta.1", "1.4.0-beta.2"}, {" ", ""},
	} {
		cfg := config(t, "about", c.version)
		cfg.Require = c.required
		launch(t, cfg)
	}
}

func TestLaunchRefusesWhatDoesNotFitARequirement(t *testing.T) {
	for name, c := range map[string]struct {
		role, argument        string
		required, hostVersion string
		want                  core.RequirementError // without Err
		says                  []string
	}{
		"a plugin that is too old": {
			"about", "1.3.9", ">= 1.4, < 2", "", core.RequirementError{Side: "host", Required: ">= 1.4, < 2", Got: "1.3.9"},
			[]string{`the plugin has version 1.3.9, and the host requires ">= 1.4, < 2": install a release of the plugin`},
		},
		"a pre-release": {
			"about", "1.5.0-rc.1", ">= 1.4, < 2", "", core.RequirementError{Side: "host", Required: ">= 1.4, < 2", Got: "1.5.0-rc.1"},
			[]string{"1.5.0-rc.1, a pre-release", "names none"},
		},
		"a plugin without a version": {
			"about", "", ">= 1.4", "", core.RequirementError{Side: "host", Required: ">= 1.4"},
			[]string{"does not say its version", "Info.Version", "Config.Require empty"},
		},
		"a plugin on another library": {
			"silent", "", ">= 1.4", "", core.RequirementError{Side: "host", Required: ">= 1.4"},
			[]string{"does not say its version"},
		},
		"a version that is none": {
			"saying", "version=new", ">= 1.4", "", core.RequirementError{Side: "host", Required: ">= 1.4", Got: "new"},
			[]string{`has version "new"`, "no semantic version"},
		},
		"a host that is too old": {
			"about", "1.0.0 >= 3", "", "2.1.0", core.RequirementError{Side: "plugin", Required: ">= 3", Got: "2.1.0"},
			[]string{`the host has version 2.1.0, and the plugin requires ">= 3": install a release of the host`},
		},
		"a host without a version": {
			"about", "1.0.0 >= 3", "", "", core.RequirementError{Side: "plugin", Required: ">= 3"},
			[]string{"does not say its version", "HostVersion"},
		},
		"a requirement that is none": {
			"saying", "requires-host=new", "", "2.1.0", core.RequirementError{Side: "plugin", Required: "new"},
			[]string{`requires version "new"`, "no constraint", "another release of the plugin"},
		},
		"a requirement that is cut": {
			"saying", "requires-host=>= 1" + strings.Repeat(", >= 1", 100), "", "2.1.0", core.RequirementError{Side: "plugin"},
			[]string{"no constraint"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(t, c.role, c.argument)
			cfg.Require, cfg.HostVersion = c.required, c.hostVersion
			failure := fail(t, within(t), cfg)
			var refusal *core.RequirementError
			if !errors.As(failure, &refusal) || failure.Stage != host.StageNegotiate {
				t.Fatalf("stage %s: %v", failure.Stage, failure)
			}
			got := core.RequirementError{Side: refusal.Side, Required: refusal.Required, Got: refusal.Got}
			if c.want.Required == "" {
				c.want.Required = got.Required
			}
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			mention(t, failure, c.says...)
		})
	}
}

func TestLaunchRefusesRequirementsThatCannotBeRead(t *testing.T) {
	cfg := config(t, "serve", "")
	cfg.Require, cfg.HostVersion = "=> 1", "dev"
	failure := fail(t, within(t), cfg)
	if failure.Stage != host.StageConfigure {
		t.Errorf("stage %s", failure.Stage)
	}
	mention(t, failure, `Config.Require is "=> 1"`, `Config.HostVersion is "dev"`)
}
