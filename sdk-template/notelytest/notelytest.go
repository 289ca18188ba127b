// Package notelytest tests plugins inside their authors' tests:
//
//	func TestMemory(t *testing.T) { notelytest.Check(t, notelytest.Open(t, &memory{})) }
package notelytest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"

	notely "github.com/jackfield-go/jackfield/sdk-template"
)

// Open returns impl as the application sees it, over a connection that ends with the test. With
// versions, only those protocol versions are used, as with an older or newer application.
func Open(tb testing.TB, impl notely.NoteStore, versions ...int) notely.NoteStore {
	tb.Helper()
	spoken := notely.Versions.Clone()
	for version := range spoken {
		if len(versions) > 0 && !slices.Contains(versions, version) {
			delete(spoken, version)
		}
	}
	process := plugintest.Launch(tb,
		host.Config{Handshake: notely.Handshake, Versions: spoken, AutoMTLS: host.MTLSRequired},
		plugin.Config{Handshake: notely.Handshake, Versions: notely.Versions, Implements: notely.Plugin.Bind(impl)})
	client, err := host.Dispense(tb.Context(), process, notely.Plugin)
	if err != nil {
		tb.Fatal(err)
	}
	return client
}

// Check tests client against the application's expectations. client must have no items yet.
func Check(tb testing.TB, client notely.NoteStore) {
	tb.Helper()
	approve := func(_ context.Context, text string) error {
		if text == "bad" {
			return fmt.Errorf("%w: it is bad", notely.ErrRefused)
		}
		return nil
	}
	long := strings.Repeat("x", 5<<20) // beyond gRPC's own limit
	for _, text := range []string{"one", long} {
		if item, err := client.Add(tb.Context(), text, approve); err != nil || item.Text != text {
			tb.Errorf("Add(%.9q): got %.9v, %v", text, item, err)
		}
	}
	want := approve(tb.Context(), "bad").Error()
	if _, err := client.Add(tb.Context(), "bad", approve); !errors.Is(err, notely.ErrRefused) || err.Error() != want {
		tb.Errorf("Add of a refused text: got %v, want %s", err, want)
	}
	if _, err := client.Add(tb.Context(), "bad", nil); err != nil {
		tb.Errorf("Add without approval: %v", err)
	}
	var texts []string
	for item, err := range client.List(tb.Context()) {
		if err != nil {
			tb.Errorf("List: %v", err)
		}
		texts = append(texts, item.Text)
	}
	if !slices.Equal(texts, []string{"one", long, "bad"}) {
		tb.Errorf("List: got %.9q", texts)
	}
}

// Memory is a plugin for tests of the application. The zero value is empty.
type Memory struct {
	mu    sync.Mutex
	items []notely.Item
}

// Add stores text in memory.
func (m *Memory) Add(ctx context.Context, text string, approve notely.Approve) (notely.Item, error) {
	if err := approve(ctx, text); err != nil {
		return notely.Item{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.items = append(m.items, notely.Item{ID: strconv.Itoa(len(m.items) + 1), Text: text})
	return m.items[len(m.items)-1], nil
}

// List yields the items stored at the time of the call.
func (m *Memory) List(context.Context) iter.Seq2[notely.Item, error] {
	m.mu.Lock()
	defer m.mu.Unlock()
	return notely.Items(m.items...)
}
