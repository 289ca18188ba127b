package core_test

import (
	"errors"
	"fmt"
	"net"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core"
	"github.com/jackfield-go/jackfield/core/internal/faketransport"
)

func named(name core.Protocol) core.Transport { return &faketransport.Transport{Name: name} }

func TestHandshakeValidate(t *testing.T) {
	tests := map[string]struct {
		handshake core.Handshake
		says      string // empty: it is valid
	}{
		"good":             {core.Handshake{MagicCookieKey: "KEY", MagicCookieValue: "value"}, ""},
		"no key":           {core.Handshake{MagicCookieValue: "value"}, "needs a MagicCookieKey"},
		"no value":         {core.Handshake{MagicCookieKey: "KEY"}, "needs a MagicCookieKey"},
		"= in the key":     {core.Handshake{MagicCookieKey: "K=Y", MagicCookieValue: "value"}, "name of an environment variable"},
		"NUL in the key":   {core.Handshake{MagicCookieKey: "K\x00Y", MagicCookieValue: "value"}, "name of an environment variable"},
		"NUL in the value": {core.Handshake{MagicCookieKey: "KEY", MagicCookieValue: "a\x00b"}, "NUL"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { check(t, test.handshake.Validate(), test.says) })
	}
}

func TestVersionsValidate(t *testing.T) {
	tests := map[string]struct {
		versions core.Versions
		says     string
	}{
		"good":             {core.Versions{0: {named("a"), named("b")}, 7: {named("a")}}, ""},
		"nil":              {nil, "Versions is empty"},
		"negative":         {core.Versions{-1: {named("a")}}, "version -1 is negative"},
		"no transport":     {core.Versions{1: {}}, "version 1 has no transport"},
		"nil transport":    {core.Versions{1: {named("a"), nil}}, "version 1 has a nil transport"},
		"one protocol two": {core.Versions{1: {named("a"), named("a")}}, `two transports for protocol "a"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { check(t, test.versions.Validate(), test.says) })
	}
}

func check(t *testing.T, err error, says string) {
	t.Helper()
	switch {
	case says == "" && err != nil:
		t.Errorf("got %v", err)
	case says != "" && (err == nil || !strings.Contains(err.Error(), says)):
		t.Errorf("got %v, want %q", err, says)
	}
}

func TestVersionsCloneSharesNothingChangeable(t *testing.T) {
	original := core.Versions{1: {named("a")}}
	copied := original.Clone()
	copied[1][0] = named("b")
	copied[2] = nil
	if len(original) != 1 || original[1][0].Protocol() != "a" {
		t.Errorf("the original became %v", original)
	}
}

func TestVersionErrorAdvises(t *testing.T) {
	tests := map[string]struct {
		err  core.VersionError
		says string
	}{
		"older plugin":               {core.VersionError{Host: []int{4}, Plugin: []int{2, 3}, Complete: true}, "install a newer plugin"},
		"newer plugin":               {core.VersionError{Host: []int{4}, Plugin: []int{5}, Complete: true}, "a newer host"},
		"one that tells only one":    {core.VersionError{Host: []int{4}, Plugin: []int{3}}, "does not tell its other versions"},
		"around":                     {core.VersionError{Host: []int{4}, Plugin: []int{3, 5}, Complete: true}, "made for this host"},
		"nothing is known of either": {core.VersionError{}, "no application version in common"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { check(t, &test.err, test.says) })
	}
}

func TestExitErrorFindsTheLastPanic(t *testing.T) {
	tests := map[string]struct {
		stderr []string
		head   string
	}{
		"none":        {[]string{"just a line"}, ""},
		"a panic":     {[]string{"x", "panic: one", "", "goroutine 1 [running]:"}, "panic: one"},
		"fatal error": {[]string{"fatal error: all goroutines are asleep - deadlock!"}, "fatal error: all goroutines are asleep - deadlock!"},
		"the last":    {[]string{"panic: printed", "panic: real"}, "panic: real"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			exit := &core.ExitError{Plugin: "p", Code: 2, Status: "exit status 2", Stderr: test.stderr}
			if exit.DeathLine() != test.head || !strings.Contains(exit.Error(), test.head) {
				t.Errorf("head %q, text %q", exit.DeathLine(), exit)
			}
		})
	}
}

func TestExitErrorShowsTheLastLines(t *testing.T) {
	fatal := `{"level":"fatal","ts":1714979289.5,"msg":"no settings","err":"denied"}`
	tests := map[string]struct {
		stderr []string
		want   string
	}{
		"none":            {nil, "plugin p has ended: exit status 1"},
		"log.Fatal":       {[]string{"2024/05/06 07:08:09 no settings"}, "plugin p has ended: exit status 1 (last on stderr: no settings)"},
		"records":         {[]string{"loading", fatal}, "plugin p has ended: exit status 1 (last on stderr: loading | FATAL no settings err=denied)"},
		"blank lines":     {[]string{" ", "a", "\t"}, "plugin p has ended: exit status 1 (last on stderr: a)"},
		"many":            {[]string{"1", "2", "3", "4", "5", "6"}, "plugin p has ended: exit status 1 (last on stderr: 2 | 3 | 4 | 5 | 6)"},
		"long":            {[]string{strings.Repeat("z", 300), strings.Repeat("x", 300), strings.Repeat("y", 300), "end"}, "plugin p has ended: exit status 1 (last on stderr: " + strings.Repeat("x", 200) + "… | " + strings.Repeat("y", 200) + "… | end)"},
		"control text":    {[]string{"a\x1b[2J\u202e"}, `plugin p has ended: exit status 1 (last on stderr: a\x1b[2J\u202e)`},
		"a crash's trace": {[]string{"a", "panic: b", "main.main()"}, "plugin p has ended: exit status 1 (panic: b)"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			exit := &core.ExitError{Plugin: "p", Code: 1, Status: "exit status 1", Stderr: test.stderr}
			if got := exit.Error(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestTypeErrorOfNothingDoesNotPanic(t *testing.T) {
	err := &core.TypeError{Name: "greeter", Want: reflect.TypeFor[error]()}
	check(t, err, "greeter")
}

// An application offers what each of its versions looked like.
func ExampleVersions() {
	versions := core.Versions{
		1: {&faketransport.Transport{Name: core.NetRPC}},
		2: {&faketransport.Transport{Name: core.GRPC}, &faketransport.Transport{Name: core.NetRPC}},
	}
	fmt.Println(versions.Validate(), versions.Numbers())
	for _, number := range versions.Numbers() {
		fmt.Println(number, versions.Protocols(number))
	}
	fmt.Println(versions.Transport(1, core.GRPC) == nil)
	// Output:
	// <nil> [1 2]
	// 1 [netrpc]
	// 2 [grpc netrpc]
	// true
}

// Errors of a plugin's end are reached with errors.As.
func ExampleExitError() {
	err := fmt.Errorf("call: %w: %w", core.ErrConnectionLost, &core.ExitError{
		Plugin: "greeter",
		Code:   2,
		Status: "exit status 2",
		Stderr: []string{"panic: out of tea"},
	})
	var exit *core.ExitError
	if errors.As(err, &exit) {
		fmt.Println(exit.Code, exit.DeathLine())
	}
	fmt.Println(slices.Contains(exit.Stderr, "panic: out of tea"), errors.Is(err, core.ErrConnectionLost))
	// Output:
	// 2 panic: out of tea
	// true true
}

func TestAddressErrorShowsWhatAPluginSentWithBounds(t *testing.T) {
	long := &core.AddressError{Network: "tcp\x1b[2J", Address: strings.Repeat("a", 1<<20), Reason: "it is not host:port"}
	text := long.Error()
	if len(text) > 500 || strings.Contains(text, "\x1b") || !strings.HasSuffix(text, long.Reason) {
		t.Errorf("%d bytes: %.600s", len(text), text)
	}
}

func TestExitErrorEscapesTheHeadOfADeath(t *testing.T) {
	err := &core.ExitError{Plugin: "p", Status: "exit status 2", Stderr: []string{"panic: \x1b[2J\u009b\u202e" + strings.Repeat("x", 5000)}}
	text := err.Error()
	if strings.ContainsAny(text, "\x1b\u009b\u202e") || !strings.Contains(text, `\x1b[2J\u009b\u202e`) || len(text) > 400 {
		t.Errorf("%d bytes: %.300q", len(text), text)
	}
}

// TestErrClosedIsTheStandardLibrarysToo lets programs look for one of both.
func TestErrClosedIsTheStandardLibrarysToo(t *testing.T) {
	if !errors.Is(core.ErrClosed, net.ErrClosed) || core.ErrClosed.Error() != "closed" {
		t.Errorf("core.ErrClosed is %v, want net.ErrClosed to errors.Is", core.ErrClosed)
	}
}
