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
