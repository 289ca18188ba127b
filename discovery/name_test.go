package discovery_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackfield-go/jackfield/discovery"
	"github.com/jackfield-go/jackfield/discovery/internal/testkit"
	"github.com/jackfield-go/jackfield/discovery/semver"
)

func TestNamesAreParsedAndFormatted(t *testing.T) {
	greet := discovery.Naming{App: "greet"}
	kinds := discovery.Naming{App: "greet", Kinds: []string{"filter", "sink"}}
	glob := discovery.Naming{Glob: "*.driver*"}
	v := func(text string) semver.Version { return testkit.Version(t, text) }
	linux, windows := discovery.Platform{OS: "linux", Arch: "amd64"}, discovery.Platform{OS: "windows", Arch: "arm64"}
	for _, test := range []struct {
		naming discovery.Naming
		file   string
		want   discovery.ID
		shown  string
	}{
		{greet, "greet-plugin-loud", discovery.ID{Name: "loud"}, "loud"},
		{greet, "greet-plugin-loud.exe", discovery.ID{Name: "loud", Exe: true}, "loud"},
		{greet, "greet-plugin-very-loud.2", discovery.ID{Name: "very-loud.2"}, "very-loud.2"},
		{greet, "greet-plugin-loud_v1.4.0", discovery.ID{Name: "loud", Version: v("1.4.0")}, "loud 1.4.0"},
		{greet, "greet-plugin-loud_linux_amd64", discovery.ID{Name: "loud", Platform: linux}, "loud linux_amd64"},
		{greet, "greet-plugin-loud_vms_vax", discovery.ID{Name: "loud", Platform: discovery.Platform{OS: "vms", Arch: "vax"}}, "loud vms_vax"},
		{
			greet, "greet-plugin-loud_v1.4.0-rc.1+b.2_windows_arm64.exe",
			discovery.ID{Name: "loud", Version: v("1.4.0-rc.1+b.2"), Platform: windows, Exe: true}, "loud 1.4.0-rc.1+b.2 windows_arm64",
		},
		{kinds, "greet-filter-loud", discovery.ID{Kind: "filter", Name: "loud"}, "filter/loud"},
		{kinds, "greet-sink-filter-loud", discovery.ID{Kind: "sink", Name: "filter-loud"}, "sink/filter-loud"},
		{glob, "odd_name.driver.exe", discovery.ID{Name: "odd_name.driver", Exe: true}, "odd_name.driver"},
	} {
		got, err := test.naming.Parse(test.file)
		if err != nil || got != test.want || got.String() != test.shown {
			t.Errorf("%s: %+v, %v", test.file, got, err)
		}
		if file, err := test.naming.Format(test.want); err != nil || file != test.file {
			t.Errorf("%+v: %s, %v", test.want, file, err)
		}
	}
}

func TestNamesOfOtherReleaseToolsAreRead(t *testing.T) {
	greet := discovery.Naming{App: "greet"}
	linux := discovery.Platform{OS: "linux", Arch: "amd64"}
	for file, want := range map[string]discovery.ID{
		"greet-plugin-loud_1.4.0":                          {Name: "loud", Version: testkit.Version(t, "1.4.0")},
		"greet-plugin-loud_1.4.0-rc.1_linux_amd64":         {Name: "loud", Version: testkit.Version(t, "1.4.0-rc.1"), Platform: linux},
		"greet-plugin-loud_v1.4.0_x5.0_linux_amd64":        {Name: "loud", Version: testkit.Version(t, "1.4.0"), Platform: linux},
		"greet-plugin-loud_v1.4.0_x5.10_windows_arm64.exe": {Name: "loud", Version: testkit.Version(t, "1.4.0"), Platform: discovery.Platform{OS: "windows", Arch: "arm64"}, Exe: true},
		"greet-plugin-loud_1.4.0_x5.0":                     {Name: "loud", Version: testkit.Version(t, "1.4.0")},
		"greet-plugin-loud_v1.4.0_x5_amd64":                {Name: "loud", Version: testkit.Version(t, "1.4.0"), Platform: discovery.Platform{OS: "x5", Arch: "amd64"}},
	} {
		if got, err := greet.Parse(file); err != nil || got != want {
			t.Errorf("%s: %+v, %v", file, got, err)
		}
	}
	for _, file := range []string{
		"greet-plugin-a_1", "greet-plugin-a_1.0", "greet-plugin-a_1.0.0_", "greet-plugin-a_1.0.0_x5.0_", "greet-plugin-a_1.0.0_x5.0_linux",
		"greet-plugin-a_x5.0_linux_amd64", "greet-plugin-a_1.0.0_x5.0_x5.0", "greet-plugin-a_1.0.0_x.0_linux_amd64",
	} {
		var wrong *discovery.NameError
		if id, err := greet.Parse(file); !errors.As(err, &wrong) || id != (discovery.ID{}) {
			t.Errorf("%s: %+v, %v", file, id, err)
		}
	}
}

func TestNamesThatAreNone(t *testing.T) {
	greet := discovery.Naming{App: "greet"}
	for _, file := range []string{"", "greet", "greet-", "greet-plugin", "great-plugin-loud", "Greet-plugin-loud", "xgreet-plugin-loud"} {
		if id, err := greet.Parse(file); !errors.Is(err, discovery.ErrNotPluginName) || id != (discovery.ID{}) {
			t.Errorf("%q: %+v, %v", file, id, err)
		}
	}
	var version *semver.VersionError
	for _, file := range []string{
		"greet-plugin-", "greet-plugin-.exe", "greet-plugin-_v1.0.0", "greet-plugin-a b", "greet-plugin-a/b", "greet-plugin-a\x00",
		"greet-plugin-a_", "greet-plugin-a_v", "greet-plugin-a_v1", "greet-plugin-a_v1.0.0_", "greet-plugin-a_v1.0.0_linux",
		"greet-plugin-a_Linux_amd64", "greet-plugin-a_linux_amd64_v1.0.0", "greet-plugin-a.exe.exe_v1", "greet-plugin-" + strings.Repeat("a", 1000),
	} {
		id, err := greet.Parse(file)
		var wrong *discovery.NameError
		if !errors.As(err, &wrong) || wrong.File != file || id != (discovery.ID{}) || len(err.Error()) > 700 {
			t.Errorf("%q: %+v, %v", file, id, err)
		}
	}
	if _, err := greet.Parse("greet-plugin-a_v1"); !errors.As(err, &version) {
		t.Errorf("the reason is not to be reached: %v", err)
	}
}

func TestFormatRefusesNamesThatReadOtherwise(t *testing.T) {
	greet := discovery.Naming{App: "greet"}
	for _, id := range []discovery.ID{
		{}, {Name: "a_b"}, {Name: "a/b"}, {Name: "../a"}, {Name: "a.exe"}, {Name: "a.sha256"}, {Name: "a.json"}, {Name: "a", Kind: "filter"},
		{Name: "a", Platform: discovery.Platform{OS: "linux"}}, {Name: "a", Platform: discovery.Platform{OS: "Linux", Arch: "x"}},
	} {
		file, err := greet.Format(id)
		var wrong *discovery.NameError
		if !errors.As(err, &wrong) {
			t.Errorf("%+v: %q, %v", id, file, err)
		}
	}
	for _, naming := range []discovery.Naming{{}, {App: "a_b"}, {App: "a", Kinds: []string{""}}, {Glob: "["}} {
		if file, err := naming.Format(discovery.ID{Name: "a"}); err == nil {
			t.Errorf("%+v: %q", naming, file)
		}
		if _, err := (discovery.Search{Naming: naming}).Find(t.Context()); err == nil {
			t.Errorf("%+v: it is searched for", naming)
		}
	}
	if file, err := (discovery.Naming{Glob: "*"}).Format(discovery.ID{Name: "../a"}); err == nil {
		t.Errorf("a path: %q", file)
	}
}

// Each parsed name formats as a name of the same plugin, unless it names a file
// beside a plugin.
func FuzzNamingParse(f *testing.F) {
	for _, seed := range []string{
		"greet-plugin-loud", "greet-filter-loud_v1.4.0-rc.1+b_linux_amd64.exe", "greet-plugin-a_v1_2", "greet-plugin-_", "greet-plugin-a.sha256", "x",
		"greet-plugin-a_1.4.0_linux_amd64", "greet-plugin-a_v1.4.0_x5.0_linux_amd64", "greet-plugin-a_1.4.0_x5.0",
		"greet-plugin-a.eXe", "greet-plugin-a.EXE.exe", "a-.Exe", "greet-plugin-a_v1.0.0_windows_amd64.EXE",
	} {
		f.Add(seed)
	}
	namings := []discovery.Naming{{App: "greet"}, {App: "greet", Kinds: []string{"plugin", "filter", "filter-fast"}}, {Glob: "*-*"}}
	f.Fuzz(func(t *testing.T, file string) {
		for _, naming := range namings {
			id, err := naming.Parse(file)
			var wrong *discovery.NameError
			if err != nil {
				if !errors.Is(err, discovery.ErrNotPluginName) && !errors.As(err, &wrong) || id != (discovery.ID{}) {
					t.Errorf("%q: %+v, %v", file, id, err)
				}
				continue
			}
			formatted, err := naming.Format(id)
			if err != nil && !errors.As(err, &wrong) {
				t.Errorf("%q became %q, %v", file, formatted, err)
			}
			if again, err2 := naming.Parse(formatted); err == nil && (err2 != nil || again != id) {
				t.Errorf("%q became %q, read as %+v, %v", file, formatted, again, err2)
			}
		}
	})
}

func ExampleNaming() {
	naming := discovery.Naming{App: "greet"}
	id, err := naming.Parse("greet-plugin-loud_v1.4.0_linux_amd64")
	fmt.Println(id.Name, id.Version, id.Platform, err)

	id.Platform = discovery.Platform{OS: "windows", Arch: "amd64"}
	id.Exe = true
	fmt.Println(naming.Format(id))

	_, err = naming.Parse("greet-plugin-loud_v1.4")
	fmt.Println(err)
	// Output:
	// loud 1.4.0 linux_amd64 <nil>
	// greet-plugin-loud_v1.4.0_windows_amd64.exe <nil>
	// the file name "greet-plugin-loud_v1.4": after the name there is no version: "v1.4" is no semantic version such as 1.4.2 or 1.5.0-beta.1: it must have three numbers
}
