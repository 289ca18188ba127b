package plugin_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/handshake"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
	"github.com/jackfield-go/jackfield/core/plugin"
)

// carrier is a transport that carries one plugin.
type carrier[T any] struct {
	*faketransport.Transport

	plugin core.Plugin[T, T]
}

func (c carrier[T]) Names(bound core.Implementations) []string {
	if _, ok := c.plugin.Implementation(bound); ok {
		return []string{c.plugin.Name()}
	}
	return nil
}

func carry[T any](p core.Plugin[T, T], seen func(core.PluginLink)) []core.Transport {
	return []core.Transport{carrier[T]{&faketransport.Transport{Seen: seen}, p}}
}

// Version 2 of an application has another Go type under the same name.
var (
	first  = core.Define[error]("it")
	second = core.Define[string]("it")
)

func TestRunOffersTheImplementedVersions(t *testing.T) {
	newer, older := second.Bind("impl"), first.Bind(errors.New("impl"))
	for name, c := range map[string]struct {
		bound   core.Implementations
		hosts   string
		version int
	}{
		"both, for a new host":     {slices.Concat(older, newer), "1,2", 2},
		"both, for an old host":    {slices.Concat(older, newer), "1", 1},
		"the older for a new host": {older, "1,2", 1},
		"the newer for a new host": {newer, "1,2", 2},
		"none in common":           {newer, "1", 2}, // which the host refuses
	} {
		t.Run(name, func(t *testing.T) {
			var got core.Implementations
			seen := func(link core.PluginLink) { got = link.Implements }
			cfg := plugin.Config{Handshake: cookie, Versions: core.Versions{1: carry(first, seen), 2: carry(second, seen)}, Implements: c.bound}
			line := run(t, surround(map[string]string{handshake.EnvProtocolVersions: c.hosts}), cfg).parsed(t)
			if line.AppVersion != c.version {
				t.Errorf("announced version %d, want %d", line.AppVersion, c.version)
			}
			if !slices.Equal(got, c.bound) {
				t.Errorf("the transport got %v, want %v", got, c.bound)
			}
		})
	}
}

func TestDescribeHasTheImplementedVersions(t *testing.T) {
	cfg := plugin.Config{
		Handshake:  cookie,
		Versions:   core.Versions{1: carry(first, nil), 2: carry(second, nil)},
		Implements: first.Bind(errors.New("impl")),
	}
	protocols, _ := described(t, cfg)["protocols"].([]any)
	if len(protocols) != 1 || protocols[0].(map[string]any)["version"] != 1.0 {
		t.Errorf("got %v", protocols)
	}
}

func TestRunRefusesImplementationsThatCannotBeServed(t *testing.T) {
	impl := errors.New("impl")
	for name, c := range map[string]struct {
		bound core.Implementations
		says  []string
	}{
		"none":         {nil, []string{"implements nothing", "Config.Implements is empty"}},
		"nil":          {first.Bind(nil), []string{`"it" (error) is nil`}},
		"another name": {core.Define[error]("that").Bind(impl), []string{`carries the plugin "that" (error)`}},
		"another type": {second.Bind("impl"), []string{`carries the plugin "it" (string)`}},
		"one too many": {slices.Concat(first.Bind(impl), core.Define[error]("that").Bind(impl)), []string{`"that" (error)`}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := plugin.Config{Handshake: cookie, Versions: core.Versions{1: carry(first, nil)}, Implements: c.bound}
			mention(t, refuse(t, surround(nil), cfg), c.says...)
		})
	}
}
