package handshake_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core/handshake"
)

// terraforms is the data that Terraform's SDK prints.
const terraforms = `{"registry.terraform.io/acme/ten":{"Protocol":"grpc","ProtocolVersion":6,"Pid":4711,"Test":true,` +
	`"Addr":{"Network":"unix","String":"/tmp/plugin1"}}}`

func TestParseReattachReadsTheFormOfTerraform(t *testing.T) {
	got, err := handshake.ParseReattach(terraforms)
	want := map[string]handshake.Reattach{"registry.terraform.io/acme/ten": {
		Line: handshake.Line{CoreVersion: 1, AppVersion: 6, Network: "unix", Address: "/tmp/plugin1", Protocol: "grpc"},
		ID:   "4711",
		Test: true,
	}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	again, err := handshake.FormatReattach(got)
	if err != nil || again != terraforms {
		t.Errorf("written again it is %s, %v", again, err)
	}
}

func TestParseReattachOfNothingIsEmpty(t *testing.T) {
	for _, text := range []string{"", "{}"} {
		if got, err := handshake.ParseReattach(text); err != nil || len(got) > 0 {
			t.Errorf("%q reads as %v, %v", text, got, err)
		}
	}
}

func TestParseReattachRefuses(t *testing.T) {
	const valid = `"Addr":{"Network":"unix","String":"/tmp/p"}`
	for name, test := range map[string]struct{ text, want string }{
		"no JSON":              {`TF`, "reattach data: invalid character"},
		"no object":            {`[]`, "reattach data: json"},
		"an unknown network":   {`{"a":{"Addr":{"Network":"pipe","String":"x"}}}`, `of the plugin "a": cannot announce the network "pipe"`},
		"no address":           {`{"a":{}}`, `of the plugin "a"`},
		"a port without host":  {`{"a":{"Addr":{"Network":"tcp","String":"80"}}}`, "host:port"},
		"a negative version":   {`{"a":{"ProtocolVersion":-1,` + valid + `}}`, "application version"},
		"a text for a number":  {`{"a":{"Pid":"1",` + valid + `}}`, "Pid"},
		"a newline in the run": {`{"a":{"Started":"1\n2",` + valid + `}}`, "identified"},
		"a long run":           {`{"a":{"ID":"` + strings.Repeat("1", 2000) + `",` + valid + `}}`, "identified"},
		"a short certificate":  {`{"a":{"Certificate":"YWJj",` + valid + `}}`, "certificate"},
		"a long key":           {`{"a":{"Key":"` + strings.Repeat("k", 70000) + `",` + valid + `}}`, "key"},
		"a long text":          {strings.Repeat(" ", handshake.MaxReattach) + `{}`, "limit"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := handshake.ParseReattach(test.text)
			var failure *handshake.ReattachError
			if !errors.As(err, &failure) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestReattachHidesItsSecret(t *testing.T) {
	r := handshake.Reattach{
		Line:   handshake.Line{CoreVersion: 1, Network: "unix", Address: "/tmp/p", Protocol: "grpc", Fields: []string{"true", "k=v"}, ServerCert: make([]byte, 100)},
		ID:     "box-7",
		Secret: "hush",
	}
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("m", "data", r, "key", r.Secret)
	slog.New(slog.NewTextHandler(&logged, nil)).Info("m", "data", r, "key", r.Secret)
	encoded, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := handshake.FormatReattach(map[string]handshake.Reattach{"a": r})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s %q", r, r, r, r.Secret, r.Secret), logged.String(), string(encoded), plain} {
		if strings.Contains(text, "hush") {
			t.Errorf("the secret is in %s", text)
		}
	}

	secret, err := handshake.FormatReattachSecrets(map[string]handshake.Reattach{"a": r})
	if err != nil {
		t.Fatal(err)
	}
	got, err := handshake.ParseReattach(secret)
	if err != nil || !reflect.DeepEqual(got["a"], r) {
		t.Errorf("the data with its secret reads as %+v, %v", got, err)
	}
}

func TestExportReattachQuotesForAShell(t *testing.T) {
	r := handshake.Reattach{Line: handshake.Line{Network: "unix", Address: "/tmp/it's/p"}, ID: "7"}
	got, err := handshake.ExportReattach("GREETER_REATTACH", map[string]handshake.Reattach{"a": r})
	want := `export GREETER_REATTACH='{"a":{"Protocol":"netrpc","ProtocolVersion":0,"Pid":7,"Test":false,` +
		`"Addr":{"Network":"unix","String":"/tmp/it'\''s/p"}}}'`
	if runtime.GOOS == "windows" {
		want = `$env:GREETER_REATTACH = '{"a":{"Protocol":"netrpc","ProtocolVersion":0,"Pid":7,"Test":false,` +
			`"Addr":{"Network":"unix","String":"/tmp/it''s/p"}}}'`
	}
	if err != nil || got != want {
		t.Errorf("got %s, %v", got, err)
	}
}

// FuzzParseReattach checks that any text gives a bounded, typed error, or data that is written and
// read again unchanged.
func FuzzParseReattach(f *testing.F) {
	f.Add(terraforms)
	f.Add(`{"a":{"Addr":{"Network":"tcp","String":"127.0.0.1:1"},"ID":"x","Started":"y","Fields":["true","k=v"],"Key":"z"}}`)
	f.Add(`{"a":{"Protocol":"x|y"}}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, text string) {
		plugins, err := handshake.ParseReattach(text)
		if err != nil {
			var failure *handshake.ReattachError
			if !errors.As(err, &failure) || len(err.Error()) > 2000 {
				t.Errorf("error %v", err)
			}
			return
		}
		written, err := handshake.FormatReattachSecrets(plugins)
		if err != nil {
			if len(text) < handshake.MaxReattach/8 {
				t.Errorf("%q reads as %+v, which cannot be written: %v", text, plugins, err)
			}
			return
		}
		again, err := handshake.ParseReattach(written)
		if err != nil || len(again)+len(plugins) > 0 && !reflect.DeepEqual(again, plugins) {
			t.Errorf("%+v was written as %s, and reads as %+v, %v", plugins, written, again, err)
		}
	})
}
