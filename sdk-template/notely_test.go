package notely_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core/plugintest"
	notely "github.com/jackfield-go/jackfield/sdk-template"
	"github.com/jackfield-go/jackfield/sdk-template/notelytest"
)

func TestEachVersionCarriesTheInterface(t *testing.T) {
	for _, version := range notely.Versions(nil).Numbers() {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			plugintest.NoLeaks(t)
			notelytest.Check(t, notelytest.Open(t, &notelytest.Memory{}, version))
		})
	}
}

// endless lists for ever, or fails.
type endless struct {
	notelytest.Memory

	err error
}

func (e *endless) List(context.Context) iter.Seq2[notely.Item, error] {
	return func(yield func(notely.Item, error) bool) {
		for yield(notely.Item{Text: "again"}, e.err) && e.err == nil {
		}
	}
}

func TestAListEndsWhenTheApplicationHasEnough(t *testing.T) {
	for _, version := range notely.Versions(nil).Numbers() {
		plugintest.NoLeaks(t)
		n := 0
		for _, err := range notelytest.Open(t, &endless{}, version).List(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n == 1000 {
				break
			}
		}
	}
}

func TestAnErrorOfThePluginReachesTheApplication(t *testing.T) {
	for _, version := range notely.Versions(nil).Numbers() {
		store := notelytest.Open(t, &endless{err: errors.New("the disk is full")}, version)
		for _, err := range store.List(t.Context()) {
			if err == nil || !strings.Contains(err.Error(), "the disk is full") {
				t.Errorf("got %v", err)
			}
		}
	}
}

func BenchmarkAdd(b *testing.B) {
	store := notelytest.Open(b, &notelytest.Memory{})
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
