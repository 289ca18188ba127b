package handshake_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/jackfield-go/jackfield/core/handshake"
)

// vectorDir holds the vectors that docs/protocol.md publishes for
// implementations in any language.
const vectorDir = "../../docs/vectors"

// lineVector is a handshake line in fields, as handshake.json writes it.
type lineVector struct {
	AppVersion int      `json:"app_version"`
	Network    string   `json:"network"`
	Address    string   `json:"address"`
	Protocol   string   `json:"protocol"`
	ServerCert []byte   `json:"server_cert"`
	Fields     []string `json:"fields"`
}

func (v lineVector) line(core int) handshake.Line {
	return handshake.Line{
		CoreVersion: core, AppVersion: v.AppVersion, Network: v.Network, Address: v.Address,
		Protocol: v.Protocol, ServerCert: v.ServerCert, Fields: v.Fields,
	}
}

type handshakeVectors struct {
	Parse []struct {
		Name, Line, Error string
		Candidate         bool
		CoreVersion       int `json:"core_version"`
		Want              lineVector
	}
	Format []struct {
		Name, Line, Error string
		Plugin            lineVector
	}
	Glued []struct {
		Name, Line, Noise, Rest string
	}
	Negotiate []struct {
		Name           string
		Offered, Asked []int
		Version        int
		Common         bool
	}
	VersionLists []struct {
		List     string
		Versions []int
	} `json:"version_lists"`
	Accounts []struct {
		Name, Only, Seventh string
		Asked, Fields       []string
		Says                accountVector
	}
}

// accountVector is an About as handshake.json writes it.
type accountVector struct {
	Version      string `json:"version"`
	Build        string `json:"build"`
	Library      string `json:"library"`
	Language     string `json:"language"`
	RequiresHost string `json:"requires_host"`
}

// environmentVector is an Environment as env.json writes it.
type environmentVector struct {
	Versions    []int    `json:"versions"`
	MinPort     int      `json:"min_port"`
	MaxPort     int      `json:"max_port"`
	ClientCert  string   `json:"client_cert"`
	Multiplex   string   `json:"multiplex"`
	SocketDir   string   `json:"socket_dir"`
	SocketGroup string   `json:"socket_group"`
	Fields      []string `json:"fields"`
	FieldsFor   string   `json:"fields_for"`
	Lifeline    string   `json:"lifeline"`
	Outlive     bool     `json:"outlive"`
}

type environmentVectors struct {
	Read []struct {
		Name      string
		Variables map[string]string
		Want      environmentVector
		Errors    []string
	}
	Send []struct {
		Name      string
		Settings  environmentVector
		Variables []string
	}
	Strip []struct {
		Name    string
		Environ []string
		Want    []string
	}
}

func loadVectors(tb testing.TB, name string, into any) {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(vectorDir, name))
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
}

func TestParseVectors(t *testing.T) {
	var vectors handshakeVectors
	loadVectors(t, "handshake.json", &vectors)
	for _, v := range vectors.Parse {
		t.Run(v.Name, func(t *testing.T) {
			if got := handshake.IsCandidate(v.Line); got != v.Candidate {
				t.Errorf("IsCandidate(%q) = %t, want %t", v.Line, got, v.Candidate)
			}
			got, err := handshake.Parse(v.Line)
			if v.Error == "" {
				want := v.Want.line(handshake.CoreVersion)
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("Parse(%q) =\n%+v, %v; want\n%+v", v.Line, got, err, want)
				}
				return
			}
			if !reflect.DeepEqual(got, handshake.Line{}) {
				t.Errorf("Parse(%q) returned %+v beside an error", v.Line, got)
			}
			checkParseError(t, err, v.Error, v.CoreVersion)
		})
	}
}

// checkParseError compares an error with a vector's expectation.
func checkParseError(t *testing.T, err error, want string, core int) {
	t.Helper()
	if want == "core version unsupported" {
		var unsupported *handshake.CoreVersionError
		if !errors.As(err, &unsupported) || unsupported.Got != core {
			t.Errorf("error is %#v, want a CoreVersionError of %d", err, core)
		}
		return
	}
	var parse *handshake.ParseError
	if !errors.As(err, &parse) || string(parse.Field) != want {
		t.Errorf("error is %#v, want a ParseError of the %s", err, want)
	}
}

func TestFormatVectors(t *testing.T) {
	var vectors handshakeVectors
	loadVectors(t, "handshake.json", &vectors)
	for _, v := range vectors.Format {
		t.Run(v.Name, func(t *testing.T) {
			got, err := v.Plugin.line(0).Format()
			if v.Error == "" {
				if err != nil || got != v.Line {
					t.Errorf("Format() = %q, %v; want %q", got, err, v.Line)
				}
				return
			}
			var format *handshake.FormatError
			if !errors.As(err, &format) || string(format.Field) != v.Error || got != "" {
				t.Errorf("Format() = %q, %#v; want a FormatError of the %s", got, err, v.Error)
			}
		})
	}
}

func TestSplitGluedVectors(t *testing.T) {
	var vectors handshakeVectors
	loadVectors(t, "handshake.json", &vectors)
	for _, v := range vectors.Glued {
		t.Run(v.Name, func(t *testing.T) {
			noise, rest, ok := handshake.SplitGlued(v.Line)
			if noise != v.Noise || rest != v.Rest || ok != (v.Rest != "") {
				t.Errorf("SplitGlued(%q) = %q, %q, %t", v.Line, noise, rest, ok)
			}
		})
	}
}

func TestNegotiateVectors(t *testing.T) {
	var vectors handshakeVectors
	loadVectors(t, "handshake.json", &vectors)
	for _, v := range vectors.Negotiate {
		t.Run(v.Name, func(t *testing.T) {
			offered, asked := slices.Clone(v.Offered), slices.Clone(v.Asked)
			version, ok := handshake.Negotiate(offered, asked)
			if version != v.Version || ok != v.Common {
				t.Errorf("Negotiate(%v, %v) = %d, %t; want %d, %t", v.Offered, v.Asked, version, ok, v.Version, v.Common)
			}
			if !slices.Equal(offered, v.Offered) || !slices.Equal(asked, v.Asked) {
				t.Error("Negotiate changed its arguments")
			}
		})
	}
}

func TestParseVersionsVectors(t *testing.T) {
	var vectors handshakeVectors
	loadVectors(t, "handshake.json", &vectors)
	for _, v := range vectors.VersionLists {
		if got := handshake.ParseVersions(v.List); !slices.Equal(got, v.Versions) {
			t.Errorf("ParseVersions(%q) = %v, want %v", v.List, got, v.Versions)
		}
	}
}

func TestAboutVectors(t *testing.T) {
	var vectors handshakeVectors
	loadVectors(t, "handshake.json", &vectors)
	for _, v := range vectors.Accounts {
		t.Run(v.Name, func(t *testing.T) {
			says := handshake.About(v.Says)
			if v.Only != "host" {
				var transports []string
				if v.Seventh != "" {
					transports = []string{v.Seventh}
				}
				if got := says.Append(transports, handshake.Environment{Fields: v.Asked}); !slices.Equal(got, v.Fields) {
					t.Errorf("fields %q, want %q", got, v.Fields)
				}
				silence(&says, v.Asked)
			}
			if got := handshake.ReadAbout(v.Fields); got != says {
				t.Errorf("read %+v, want %+v", got, says)
			}
		})
	}
}

// silence empties the texts that were not asked for.
func silence(says *handshake.About, asked []string) {
	for name, text := range map[string]*string{
		"version": &says.Version, "build": &says.Build, "library": &says.Library,
		"language": &says.Language, "requires-host": &says.RequiresHost,
	} {
		if !slices.Contains(asked, name) {
			*text = ""
		}
	}
}

func TestReadEnvironmentVectors(t *testing.T) {
	var vectors environmentVectors
	loadVectors(t, "env.json", &vectors)
	for _, v := range vectors.Read {
		t.Run(v.Name, func(t *testing.T) {
			got, err := handshake.ReadEnvironment(lookupIn(v.Variables))
			want := handshake.Environment(v.Want)
			if len(want.Versions) == 0 {
				want.Versions = nil
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("ReadEnvironment =\n%+v, want\n%+v", got, want)
			}
			if bad := badVariables(err); !slices.Equal(bad, v.Errors) {
				t.Errorf("bad variables %q (%v), want %q", bad, err, v.Errors)
			}
		})
	}
}

func TestVariablesVectors(t *testing.T) {
	var vectors environmentVectors
	loadVectors(t, "env.json", &vectors)
	for _, v := range vectors.Send {
		t.Run(v.Name, func(t *testing.T) {
			if got := handshake.Environment(v.Settings).Variables(); !slices.Equal(got, v.Variables) {
				t.Errorf("Variables() =\n%q, want\n%q", got, v.Variables)
			}
		})
	}
}

func TestStripVectors(t *testing.T) {
	var vectors environmentVectors
	loadVectors(t, "env.json", &vectors)
	for _, v := range vectors.Strip {
		t.Run(v.Name, func(t *testing.T) {
			environ := slices.Clone(v.Environ)
			if got := handshake.Strip(environ); !slices.Equal(got, v.Want) {
				t.Errorf("Strip = %q, want %q", got, v.Want)
			}
			if !slices.Equal(environ, v.Environ) {
				t.Error("Strip changed its argument")
			}
		})
	}
}

// lookupIn is os.LookupEnv over a map.
func lookupIn(variables map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := variables[name]
		return value, ok
	}
}

// badVariables lists the names in an error of ReadEnvironment, in the order of
// Names.
func badVariables(err error) []string {
	var names []string
	var walk func(error)
	walk = func(err error) {
		var joined interface{ Unwrap() []error }
		if errors.As(err, &joined) {
			for _, inner := range joined.Unwrap() {
				walk(inner)
			}
			return
		}
		var bad *handshake.EnvironmentError
		if errors.As(err, &bad) {
			names = append(names, bad.Name)
		}
	}
	walk(err)
	order := handshake.Names()
	slices.SortFunc(names, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
	return names
}
