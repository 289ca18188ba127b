package core_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core"
)

type (
	speaker interface{ Speak() string }
	parrot  struct{}
	other   interface{ Sing() string }
)

func (*parrot) Speak() string { return "hello" }

func (*parrot) Sing() string { return "la" }

func TestImplementationIsFoundByNameAndTypes(t *testing.T) {
	bird := new(parrot)
	bound := slices.Concat(core.Define[speaker]("bird").Bind(bird), core.Define[other]("singer").Bind(bird))
	for name, c := range map[string]struct {
		find func(core.Implementations) bool
		want bool
	}{
		"the same value":            {found(core.Define[speaker]("bird")), true},
		"the second one":            {found(core.Define[other]("singer")), true},
		"another name":              {found(core.Define[speaker]("fish")), false},
		"another type":              {found(core.Define[other]("bird")), false},
		"another type of its hosts": {found(core.DefineSides[speaker, *parrot]("bird")), false},
		"the zero value":            {found(core.Plugin[speaker, speaker]{}), false},
	} {
		if got := c.find(bound); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	if impl, _ := core.Define[speaker]("bird").Implementation(bound); impl != speaker(bird) {
		t.Errorf("got %v", impl)
	}
}

func found[S, C any](p core.Plugin[S, C]) func(core.Implementations) bool {
	return func(bound core.Implementations) bool {
		_, ok := p.Implementation(bound)
		return ok
	}
}

func TestImplementationsThatCannotBeServedAreRefused(t *testing.T) {
	bird := core.Define[speaker]("bird")
	for name, c := range map[string]struct {
		bound core.Implementations
		want  string // in the error; empty: none
	}{
		"none":          {nil, ""},
		"one":           {bird.Bind(new(parrot)), ""},
		"nil":           {bird.Bind(nil), `the plugin "bird" (core_test.speaker) is nil`},
		"a nil pointer": {bird.Bind((*parrot)(nil)), `the plugin "bird" (core_test.speaker) is nil`},
		"two":           {slices.Concat(bird.Bind(new(parrot)), bird.Bind(new(parrot))), `"bird" (core_test.speaker) has two`},
		"unbound":       {core.Implementations{{}}, "bound to no plugin"},
		"one name with two types": {
			slices.Concat(bird.Bind(new(parrot)), core.Define[other]("bird").Bind(new(parrot))), "",
		},
	} {
		err := c.bound.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestImplementationHasTextIfUnbound(t *testing.T) {
	if got := (core.Implementation{}).String(); got != "nothing" {
		t.Errorf("got %q", got)
	}
}
