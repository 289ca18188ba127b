package plugin_test

import (
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/plugin"
)

// known is a plugin that says everything about itself.
func known(extra ...string) plugin.Config {
	cfg := config(&faketransport.Transport{Extra: extra}, 1)
	cfg.Info = plugin.Info{Version: "v1.4.2", Build: "night | 7"}
	return cfg
}

const everything = "versions,version,build,library,language,requires-host"

func TestPluginSaysOfItselfWhatItsHostAsksFor(t *testing.T) {
	ours := everything + ",for:" + cookie.MagicCookieKey
	for name, c := range map[string]struct {
		fields, required string
		extra            []string
		want             string
	}{
		"a host of go-plugin":            {"", "", nil, ""},
		"multiplexing, with go-plugin":   {"", "", []string{"true"}, "|true"},
		"an older host of ours":          {"versions", "", nil, ""},
		"a host of ours":                 {ours, "", nil, "||version=1.4.2|build=night %7C 7|library=jackfield|language=" + runtime.Version()},
		"a requirement":                  {"requires-host,version,for:" + cookie.MagicCookieKey, " >= 2,\n\t< 3 ", nil, "||version=1.4.2|requires-host=>= 2, < 3"},
		"behind the transport's":         {"version,for:" + cookie.MagicCookieKey, "", []string{"true"}, "|true|version=1.4.2"},
		"a host that does not name us":   {"version", "", nil, "||version=1.4.2"},
		"the host of another program":    {everything + ",for:OTHER_COOKIE", "", nil, ""},
		"the same, and multiplexing":     {everything + ",for:OTHER_COOKIE", "", []string{"true"}, "|true"},
		"a program with a similar name":  {everything + ",for:" + cookie.MagicCookieKey + ",", "", nil, ""},
		"a field that no plugin has yet": {"colour,for:" + cookie.MagicCookieKey, "", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := known(c.extra...)
			cfg.RequireHost = c.required
			r := run(t, surround(map[string]string{handshake.EnvProtocolVersions: "1", handshake.EnvFields: c.fields}), cfg)
			line := r.parsed(t)
			if want := fmt.Sprintf("1|1|%s|%s|fake|%s\n", line.Network, line.Address, c.want); r.line != want {
				t.Errorf("announced\n%swant\n%s", r.line, want)
			}
		})
	}
}

// A transport answers fields of its own.
func TestTransportDoesNotSeeTheRequestOfAnotherProgramsHost(t *testing.T) {
	for asker, want := range map[string]string{"OTHER_COOKIE": "", cookie.MagicCookieKey: "version,for:" + cookie.MagicCookieKey} {
		var seen core.PluginLink
		transport := &faketransport.Transport{Seen: func(l core.PluginLink) { seen = l }}
		run(t, surround(map[string]string{handshake.EnvFields: "version,for:" + asker}), config(transport))
		if got, _ := seen.LookupEnv(handshake.EnvFields); got != want {
			t.Errorf("for %s: it sees %q, want %q", asker, got, want)
		}
	}
}

func TestPluginRefusesAHostThatCannotApplyItsRequirement(t *testing.T) {
	for name, fields := range map[string]string{
		"a host of go-plugin": "", "an older host of ours": "versions", "the host of another program": everything + ",for:OTHER_COOKIE",
	} {
		t.Run(name, func(t *testing.T) {
			cfg := known()
			cfg.RequireHost = ">= 2"
			err := refuse(t, surround(map[string]string{handshake.EnvFields: fields}), cfg)
			var refusal *core.RequirementError
			if !errors.As(err, &refusal) || *refusal != (core.RequirementError{Side: "plugin", Required: ">= 2"}) {
				t.Errorf("got %v", err)
			}
			mention(t, err, `the plugin requires ">= 2"`, "the host does not say its version")
		})
	}
}

func TestDescribeHasTheRequirement(t *testing.T) {
	cfg := known()
	cfg.RequireHost = " >= 2,\n< 3 "
	if got := described(t, cfg)["requires_host"]; got != ">= 2, < 3" {
		t.Errorf("got %v", got)
	}
	if got, ok := described(t, known())["requires_host"]; ok {
		t.Errorf("without a requirement: %v", got)
	}
}
