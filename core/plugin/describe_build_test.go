package plugin

import (
	"runtime/debug"
	"testing"

	"github.com/jackfield-go/jackfield/core"
)

func TestOnlyATaggedVersionOfTheModuleIsThePluginsVersion(t *testing.T) {
	for version, want := range map[string]string{
		"v1.2.3": "1.2.3", "v1.2.3-rc.1": "1.2.3-rc.1", "v1.2.3-a-b": "1.2.3-a-b",
		"": "", "(devel)": "", "v1.2.3+dirty": "", "v2.0.0+incompatible": "",
		"v0.0.0-20191109021931-daa7c04131f5":       "",
		"v1.2.4-0.20191109021931-daa7c04131f5":     "",
		"v1.3.0-pre.0.20191109021931-daa7c04131f5": "",
	} {
		if got := released(version); got != want {
			t.Errorf("%s: %q, want %q", version, got, want)
		}
	}
}

func TestDescribeTakesNameAndVersionFromTheBuild(t *testing.T) {
	build := &debug.BuildInfo{
		GoVersion: "go1.25.0", Path: "example.com/tools/greet-plugin-loud",
		Main: debug.Module{Path: "example.com/tools", Version: "v1.4.0"},
		Settings: []debug.BuildSetting{
			{Key: "GOOS", Value: "linux"}, {Key: "GOARCH", Value: "amd64"}, {Key: "vcs.revision", Value: "daa7c04131f5"},
			{Key: "vcs.time", Value: "2019-11-09T02:19:31Z"}, {Key: "vcs.modified", Value: "true"}, {Key: "-tags", Value: "x"},
		},
	}
	cfg := Config{Versions: core.Versions{}}
	got := cfg.describe(build)
	if got.Name != "greet-plugin-loud" || got.Version != "1.4.0" {
		t.Errorf("got %+v", got)
	}
	want := describedBuild{
		Go: "go1.25.0", Path: "example.com/tools/greet-plugin-loud", Module: "example.com/tools", Version: "v1.4.0",
		OS: "linux", Arch: "amd64", Revision: "daa7c04131f5", Time: "2019-11-09T02:19:31Z", Modified: true,
	}
	if *got.Build != want {
		t.Errorf("got  %+v\nwant %+v", *got.Build, want)
	}
	cfg.Info = Info{Name: "loud", Version: "2.0.0"}
	if got := cfg.describe(build); got.Name != "loud" || got.Version != "2.0.0" {
		t.Errorf("got %+v", got)
	}
	if got := cfg.describe(nil); got.Build != nil || got.Name != "loud" {
		t.Errorf("without a record: %+v", got)
	}
}

func TestAccountTakesVersionBuildAndLibraryFromTheBuild(t *testing.T) {
	module := func(path, version string) *debug.Module { return &debug.Module{Path: path, Version: version} }
	const core = "github.com/jackfield-go/jackfield/core"
	replaced := module(core, "v0.2.0")
	replaced.Replace = module("../core", "")
	for name, c := range map[string]struct {
		main, revision, modified string
		library                  *debug.Module
		wantVersion              string
		wantBuild, wantLibrary   string
	}{
		"a release":              {"v1.4.2", "3f2a9c1d5b7e0011", "false", module(core, "v0.2.0"), "1.4.2", "v1.4.2 3f2a9c1d5b7e", "jackfield v0.2.0"},
		"of the module's cache":  {"v1.4.2", "", "", module(core, "v0.2.0"), "1.4.2", "v1.4.2", "jackfield v0.2.0"},
		"a changed checkout":     {"(devel)", "3f2a9c1d5b7e0011", "true", replaced, "", "3f2a9c1d5b7e modified", "jackfield"},
		"another library's":      {"(devel)", "", "", module(core+"/v2", "v2.0.0"), "", "", "jackfield"},
		"a library at a commit":  {"", "3f2a", "", module(core, "(devel)"), "", "3f2a", "jackfield"},
		"a version of no commit": {"v1.4.2+dirty", "", "true", module(core, "v0.2.0-rc.1"), "", "v1.4.2+dirty modified", "jackfield v0.2.0-rc.1"},
	} {
		t.Run(name, func(t *testing.T) {
			got := Config{}.about(&debug.BuildInfo{
				Main: debug.Module{Path: "example.com/loud", Version: c.main}, Deps: []*debug.Module{c.library},
				Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: c.revision}, {Key: "vcs.modified", Value: c.modified}},
			})
			if got.Version != c.wantVersion || got.Build != c.wantBuild || got.Library != c.wantLibrary {
				t.Errorf("got %+v", got)
			}
		})
	}
	if got := (Config{}).about(nil); got.Version+got.Build != "" || got.Library != "jackfield" || got.Language == "" {
		t.Errorf("without a record: %+v", got)
	}
}
