package core_test

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core"
)

func TestHintWalksTheTreeOnce(t *testing.T) {
	first := core.WithHint(io.EOF, "set A")
	second := core.WithHint(fmt.Errorf("second: %w", first), "set B")
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"nil":                {nil, ""},
		"none":               {io.EOF, ""},
		"a hint":             {first, "set A"},
		"nested":             {second, "set B\nset A"},
		"wrapped":            {fmt.Errorf("call: %w", second), "set B\nset A"},
		"joined":             {errors.Join(io.EOF, first, second), "set A\nset B"},
		"several verbs":      {fmt.Errorf("%w: %w", second, first), "set B\nset A"},
		"an empty one":       {core.WithHint(first, ""), "set A"},
		"of a type":          {fmt.Errorf("dispense: %w", &core.TypeError{Name: "p", Want: reflect.TypeFor[error]()}), "the client function of the plugin's transport must return a client"},
		"a type without any": {&core.ExitError{Status: "exit status 1"}, ""},
	} {
		if got := core.Hint(test.err); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	if err := core.WithHint(nil, "set A"); err != nil {
		t.Error("WithHint makes an error of nil")
	}
	if first.Error() != "EOF" || !errors.Is(first, io.EOF) {
		t.Errorf("WithHint changed the error to %v", first)
	}
}

// Each type with a remedy in settings or code has that in its hint, and none of it in its text.
func TestErrorTextsAreForUsersAndHintsForDevelopers(t *testing.T) {
	for _, err := range []error{
		&core.CookieError{Key: "KEY", Missing: true},
		&core.VersionError{Host: []int{2}, Plugin: []int{1}, Complete: true},
		&core.ProtocolError{Got: core.GRPC, Version: 1, Supported: []core.Protocol{core.NetRPC}},
		&core.UnknownPluginError{Name: "tea", Side: "plugin"},
		&core.TypeError{Name: "tea", Got: reflect.TypeFor[int](), Want: reflect.TypeFor[error]()},
		&core.TypeError{Name: "tea", Want: reflect.TypeFor[error]()},
		&core.PeerError{UID: 1000},
	} {
		if core.Hint(err) == "" {
			t.Errorf("%T has no hint", err)
		}
		for _, code := range []string{"Config", "Sockets", "core.", "host.", "plugin.", "environment variable", "transport"} {
			if strings.Contains(err.Error(), code) {
				t.Errorf("%T names %q to a user: %v", err, code, err)
			}
		}
	}
}

// An application shows an error's text, and logs its hint too.
func ExampleHint() {
	err := fmt.Errorf("make tea: %w", &core.ProtocolError{Got: core.GRPC, Version: 1, Supported: []core.Protocol{core.NetRPC}})
	fmt.Println("error:", err)
	fmt.Println("hint:", core.Hint(err))
	// Output:
	// error: make tea: the plugin speaks protocol "grpc" under application version 1, this host supports "netrpc" there: install a release of the plugin that was made for this host
	// hint: give the host a transport for the protocol in Config.Versions, or build the plugin with a supported one
}
