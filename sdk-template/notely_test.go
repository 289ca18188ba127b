package notely_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackfield-go/jackfield/core/plugintest"
	notely "github.com/jackfield-go/jackfield/sdk-template"
	"github.com/jackfield-go/jackfield/sdk-template/notelytest"
)

// memory is the implementation that these tests use.
type memory struct {
	mu    sync.Mutex
	items []notely.Item
}

func (m *memory) Add(ctx context.Context, text string, approve notely.Approve) (notely.Item, error) {
	if err := approve(ctx, text); err != nil {
		return notely.Item{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.items = append(m.items, notely.Item{ID: fmt.Sprint(len(m.items)), Text: text})
	return m.items[len(m.items)-1], nil
}

func (m *memory) List(context.Context) iter.Seq2[notely.Item, error] {
	m.mu.Lock()
	defer m.mu.Unlock()
	return notely.Items(m.items...)
}

// check tests a note store as the application sees it.
func check(t *testing.T, store notely.NoteStore) {
	t.Helper()
	var asked []string
	approve := func(_ context.Context, text string) error {
		asked = append(asked, text)
		if text == "bad" {
			return fmt.Errorf("%w: it is bad", notely.ErrRefused)
		}
		return nil
	}
	for _, text := range []string{"one", "two"} {
		if item, err := store.Add(t.Context(), text, approve); err != nil || item.Text != text {
			t.Errorf("got %v, %v", item, err)
		}
	}
	_, err := store.Add(t.Context(), "bad", approve)
	if !errors.Is(err, notely.ErrRefused) || strings.Count(err.Error(), "refused the text: it is bad") != 1 {
		t.Errorf("a refusal is %v", err)
	}
	if _, err := store.Add(t.Context(), "three", nil); err != nil {
		t.Error(err)
	}
	if !slices.Equal(asked, []string{"one", "two", "bad"}) {
		t.Errorf("the application was asked about %q", asked)
	}
	var texts []string
	for item, err := range store.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, item.Text)
	}
	if !slices.Equal(texts, []string{"one", "two", "three"}) {
		t.Errorf("listed %q", texts)
	}
}

func TestEachVersionCarriesTheInterface(t *testing.T) {
	for _, version := range notely.Versions(nil).Numbers() {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			plugintest.NoLeaks(t)
			check(t, notelytest.OpenVersion(t, version, &memory{}))
		})
	}
}

// failing lists items for ever, or not at all.
type failing struct {
	memory

	err error
}

func (f *failing) List(context.Context) iter.Seq2[notely.Item, error] {
	return func(yield func(notely.Item, error) bool) {
		for yield(notely.Item{Text: "again"}, f.err) && f.err == nil {
		}
	}
}

func TestAListEndsWhenTheApplicationHasEnough(t *testing.T) {
	plugintest.NoLeaks(t)
	n := 0
	for _, err := range notelytest.Open(t, &failing{}).List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 1000 {
			break
		}
	}
}

func TestAnErrorOfThePluginReachesTheApplication(t *testing.T) {
	store := notelytest.Open(t, &failing{err: errors.New("the disk is full")})
	for _, err := range store.List(t.Context()) {
		if err == nil || !strings.Contains(err.Error(), "the disk is full") {
			t.Errorf("got %v", err)
		}
	}
}

func BenchmarkAdd(b *testing.B) {
	store := notelytest.Open(b, &memory{})
	for name, approve := range map[string]notely.Approve{
		"plain":    nil,
		"approved": func(context.Context, string) error { return nil },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := store.Add(b.Context(), "text", approve); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
