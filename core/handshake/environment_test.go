package handshake_test

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/core/handshake"
)

func TestReadEnvironmentIsBounded(t *testing.T) {
	versions := make([]string, 5000)
	for i := range versions {
		versions[i] = strconv.Itoa(i)
	}
	env, err := handshake.ReadEnvironment(lookupIn(map[string]string{
		handshake.EnvProtocolVersions: strings.Join(versions, ","),
		handshake.EnvFields:           strings.Repeat("f,", 5000),
		handshake.EnvClientCert:       strings.Repeat("x", handshake.MaxLine+1),
		handshake.EnvMinPort:          strings.Repeat("1", 5000),
	}))
	if len(env.Versions) != 1024 || len(env.Fields) != 32 || env.ClientCert != "" {
		t.Errorf("read %d versions, %d fields and %d bytes of certificate",
			len(env.Versions), len(env.Fields), len(env.ClientCert))
	}
	want := []string{handshake.EnvMinPort, handshake.EnvClientCert}
	if bad := badVariables(err); !slices.Equal(bad, want) || len(err.Error()) > 1000 {
		t.Errorf("bad variables %q (%v), want %q in a short error", bad, err, want)
	}
}

func TestReadEnvironmentReadsWhatVariablesSends(t *testing.T) {
	sent := handshake.Environment{
		Versions: []int{1, 2, 30}, MinPort: 1024, MaxPort: 2048, ClientCert: "-----BEGIN\nx\n",
		Multiplex: "true", SocketDir: "/run/p", SocketGroup: "plugins", Fields: []string{"versions", "other"}, FieldsFor: "AN,ODD NAME",
	}
	if got := reread(t, sent); !reflect.DeepEqual(got, sent) {
		t.Errorf("read\n%+v, sent\n%+v", got, sent)
	}
}

// reread sends env through its variables.
func reread(tb testing.TB, env handshake.Environment) handshake.Environment {
	tb.Helper()
	variables := map[string]string{}
	for _, variable := range env.Variables() {
		name, value, _ := strings.Cut(variable, "=")
		variables[name] = value
	}
	got, err := handshake.ReadEnvironment(lookupIn(variables))
	if err != nil {
		tb.Fatal(err)
	}
	return got
}

func TestVariablesOmitsInvalidValues(t *testing.T) {
	env := handshake.Environment{Versions: []int{-1, 2}, Fields: []string{"a,b", "", "ok", "UPPER"}}
	want := []string{
		"PLUGIN_PROTOCOL_VERSIONS=2", "PLUGIN_MIN_PORT=10000", "PLUGIN_MAX_PORT=25000", "PLUGIN_HANDSHAKE_FIELDS=ok",
	}
	if got := env.Variables(); !slices.Equal(got, want) {
		t.Errorf("Variables() = %q, want %q", got, want)
	}
}

func TestNamesCoversEverySentVariable(t *testing.T) {
	all := handshake.Environment{
		ClientCert: "x", Multiplex: "x", SocketDir: "x", SocketGroup: "x", Fields: []string{"x"},
		Lifeline: "x", Outlive: true,
	}.Variables()
	if left := handshake.Strip(all); len(left) != 0 {
		t.Errorf("Strip leaves %q of a host's own variables", left)
	}
	if len(all) != len(handshake.Names()) {
		t.Errorf("%d variables are sent and %d are named", len(all), len(handshake.Names()))
	}
	handshake.Names()[0] = "changed"
	if handshake.Names()[0] == "changed" {
		t.Error("Names hands out a slice that is shared")
	}
}

func TestAsksKnowsTheHostsFields(t *testing.T) {
	env := handshake.Environment{Fields: []string{handshake.FieldVersions}}
	if !env.Asks(handshake.FieldVersions) || env.Asks("other") || (handshake.Environment{}).Asks("") {
		t.Error("Asks disagrees with Fields")
	}
	for _, list := range []string{"other,third", "third,versions,,No name"} {
		env = env.Asking(list)
	}
	if got := strings.Join(env.Fields, " "); !strings.HasSuffix(got, "versions other third") {
		t.Errorf("got %q", got)
	}
}
