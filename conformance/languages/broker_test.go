package languages_test

import (
	"context"
	"testing"

	"github.com/jackfield-go/jackfield/conformance/goplugin/shared"
	"github.com/jackfield-go/jackfield/conformance/goplugingrpc/scenario"
	"github.com/jackfield-go/jackfield/conformance/grpc/ourprobe"
	"github.com/jackfield-go/jackfield/conformance/languages"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugintest"
)

// The helper files' brokers hold against many connections at a time, in both directions, and
// against messages beyond gRPC's own limit. The matrix has a few calls for every host.
func TestBrokersInOtherLanguages(t *testing.T) {
	for _, l := range []languages.Language{languages.Python(), languages.Node()} {
		t.Run(l.Name, func(t *testing.T) {
			plugintest.NoLeaks(t)
			ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
			defer cancel()
			command := l.Probe(t, languages.PluginRole)
			client, err := host.Launch(ctx, host.Config{
				Handshake: ourprobe.Handshake(),
				Versions:  ourprobe.Versions(shared.Versions{Numbers: []int{1}}),
				Command:   host.Command(command[0], command[1:]...),
				AutoMTLS:  host.MTLSRequired,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := client.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}()
			dispensed, err := host.Dispense(ctx, client, ourprobe.Plugin)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{
				"callback-many", "callback-parallel", "offer-many", "offer-parallel", "both-ways", "redial",
				"big", "big-callback", "big-offer",
			} {
				of, _ := scenario.Named(name)
				if err := of.Do(ctx, &scenario.Run{Probe: dispensed.Client, Values: make(map[string]any)}); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}
