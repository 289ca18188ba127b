package grpc_test

import (
	"errors"
	"regexp"
	"runtime"
	"testing"

	"github.com/jackfield-go/jackfield/conformance/grpc/ourprobe"
	"github.com/jackfield-go/jackfield/conformance/peers"
	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
)

// asked is the request of one of our hosts, for another application.
const asked = "PLUGIN_HANDSHAKE_FIELDS=versions,version,build,library,language,requires-host,lending,for:ANOTHER_APPLICATION"

func TestOurPluginsLineIsGoPlugins(t *testing.T) {
	for name, variables := range map[string][]string{
		"under go-plugin":                   nil,
		"under a plugin that is a host too": {asked},
	} {
		t.Run(name, func(t *testing.T) {
			for seventh, variables := range map[string][]string{
				"":      variables,
				"|true": append([]string{"PLUGIN_MULTIPLEX_GRPC=true"}, variables...),
			} {
				form := regexp.MustCompile(`^1\|1\|(unix|tcp)\|[^|\n]+\|grpc\|` + regexp.QuoteMeta(seventh) + `\n$`)
				if line := peers.FirstLine(t, programs.ourPlugin, patience, variables...); !form.MatchString(line) {
					t.Errorf("announced %q", line)
				}
			}
		})
	}
}

func TestOurHostKnowsTheReleaseOfOurPluginsAlone(t *testing.T) {
	eachPeer(t, func(t *testing.T, p peer) {
		got := p.launch(t, launch{}).Info()
		want := host.Info{
			Name: got.Name, Path: *p.program, PID: got.PID, Protocol: core.GRPC, AppVersion: 1, Network: got.Network, Address: got.Address,
		}
		if p.ours {
			want.Version, want.Build, want.Library, want.Language = ourprobe.Release, got.Build, "jackfield", runtime.Version()
		}
		if got != want || got.PID == 0 || got.Address == "" {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}

func TestOurHostRequiresARelease(t *testing.T) {
	eachPeer(t, func(t *testing.T, p peer) {
		_, cfg := p.prepare(t, launch{})
		cfg.Require = "~> 1.4"
		client, err := host.Launch(within(t), cfg)
		if err == nil {
			err = client.Kill(within(t))
		}
		if p.ours {
			if err != nil {
				t.Error(err)
			}
			return
		}
		var refusal *core.RequirementError
		if !errors.As(err, &refusal) || *refusal != (core.RequirementError{Side: "host", Required: cfg.Require}) {
			t.Errorf("go-plugin's plugin with a requirement: %v", err)
		}
	})
}
