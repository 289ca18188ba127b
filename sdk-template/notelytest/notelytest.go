// Package notelytest tests plugins inside a test of their authors':
//
//	func TestMemory(t *testing.T) {
//		notelytest.Check(t, notelytest.Open(t, &memory{}))
//	}
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

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/host"
	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/core/plugintest"
	notely "github.com/jackfield-go/jackfield/sdk-template"
)

// Open returns impl as the application sees it: over a real connection, within
// this process. The end of the test closes it. With versions, the plugin speaks
// those of the protocol only.
func Open(tb testing.TB, impl notely.NoteStore, versions ...int) notely.NoteStore {
	tb.Helper()
	offered := notely.Versions(impl)
	if len(versions) > 0 {
		offered = make(core.Versions)
		for _, version := range versions {
			offered[version] = notely.Versions(impl)[version]
		}
	}
	client := plugintest.Launch(tb,
		host.Config{Handshake: notely.Handshake, Versions: notely.Versions(nil), AutoMTLS: host.MTLSRequired},
		plugin.Config{Handshake: notely.Handshake, Versions: offered},
	)
	store, err := host.Dispense[notely.NoteStore](tb.Context(), client, notely.Name)
	if err != nil {
		tb.Fatal(err)
	}
	return store
}

// Check fails unless an empty note store does what the application expects.
func Check(tb testing.TB, store notely.NoteStore) {
	tb.Helper()
	var asked []string
	approve := func(_ context.Context, text string) error {
		asked = append(asked, text)
		if text == "bad" {
			return fmt.Errorf("%w: it is bad", notely.ErrRefused)
		}
		return nil
	}
	for _, text := range []string{"one", "two"} {
		if item, err := store.Add(tb.Context(), text, approve); err != nil || item.Text != text {
			tb.Errorf("Add(%q): got %v, %v", text, item, err)
		}
	}
	_, err := store.Add(tb.Context(), "bad", approve)
	if !errors.Is(err, notely.ErrRefused) || strings.Count(err.Error(), notely.ErrRefused.Error()+": it is bad") != 1 {
		tb.Errorf("Add of a text that is refused: got %v", err)
	}
	if _, err := store.Add(tb.Context(), "three", nil); err != nil {
		tb.Errorf("Add without approval: %v", err)
	}
	if !slices.Equal(asked, []string{"one", "two", "bad"}) {
		tb.Errorf("the plugin asked for approval of %q", asked)
	}
	var texts []string
	for item, err := range store.List(tb.Context()) {
		if err != nil {
			tb.Errorf("List: %v", err)
		}
		texts = append(texts, item.Text)
	}
	if !slices.Equal(texts, []string{"one", "two", "three"}) {
		tb.Errorf("List: got %q", texts)
	}
}

// Memory is a note store for tests of the application. The zero value is empty.
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
	item := notely.Item{ID: strconv.Itoa(len(m.items) + 1), Text: text}
	m.items = append(m.items, item)
	return item, nil
}

// List yields the items that were there when it was called.
func (m *Memory) List(context.Context) iter.Seq2[notely.Item, error] {
	m.mu.Lock()
	defer m.mu.Unlock()
	return notely.Items(m.items...)
}
