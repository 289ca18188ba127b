// Package notelytest runs a plugin inside a test of its author's:
//
//	func TestMemory(t *testing.T) {
//		store := notelytest.Open(t, &memory{})
//		item, err := store.Add(t.Context(), "a text", nil)
//		…
//	}
package notelytest

import (
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"
	notely "github.com/jackfield-go/jackfield/sdk-template"
)

// Open returns impl as the application sees it: over a real connection, within
// this process. The end of the test closes it.
func Open(tb testing.TB, impl notely.NoteStore) notely.NoteStore {
	tb.Helper()
	return open(tb, notely.Versions(impl))
}

// OpenVersion is Open with a plugin that speaks one version of the protocol only.
func OpenVersion(tb testing.TB, version int, impl notely.NoteStore) notely.NoteStore {
	tb.Helper()
	return open(tb, core.Versions{version: notely.Versions(impl)[version]})
}

func open(tb testing.TB, versions core.Versions) notely.NoteStore {
	tb.Helper()
	client := plugintest.Launch(tb,
		host.Config{Handshake: notely.Handshake, Versions: notely.Versions(nil), AutoMTLS: host.MTLSRequired},
		plugin.Config{Handshake: notely.Handshake, Versions: versions},
	)
	store, err := host.Dispense[notely.NoteStore](tb.Context(), client, notely.Name)
	if err != nil {
		tb.Fatal(err)
	}
	return store
}
